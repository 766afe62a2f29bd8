"""Sentences become clips: whole, equally loud, the same each time, whatever the engine does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.clips import SPEECH_LEVEL_DB, shaped, speech_level_db
from audio.espeak import Espeak
from audio.sound import RATE, Samples
from audio.speech_engine import SpeechEngine, VoiceError, speech_engine
from audio.voice import BATCH, RENDERER, SECONDS_A_WORD, Voice, voices

TEXT = "Lean your head gently to the left."
OTHERS = ("Breathe out slowly.", "And back to the middle.", "Yes.")


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    return Voice(tmp_path_factory.mktemp("voice"))


def renderer(folder: Path, body: str) -> list[str]:
    """A child with `body` in place of the engine; `first` is true only in the first one."""
    script = folder / "renderer.py"
    script.write_text(
        "import os, sys, subprocess\n"
        f"marker = {str(folder / 'marker')!r}\n"
        "first = not os.path.exists(marker)\n"
        "open(marker, 'a').write('x')\n"
        f"def real(): sys.exit(subprocess.run({list(RENDERER)!r} + sys.argv[1:]).returncode)\n"
        f"{body}\n"
    )
    return [sys.executable, str(script)]


def children(folder: Path) -> int:
    return len((folder / "marker").read_text())


def left_in(folder: Path) -> set[str]:
    return {file.suffix for file in folder.iterdir()}


def test_a_clip_is_speech_at_the_speech_level_without_silence_around_it(voice: Voice) -> None:
    clip = voice.clip(TEXT)
    assert clip.dtype == np.int16
    assert clip.ndim == 1
    assert speech_level_db(clip) == pytest.approx(SPEECH_LEVEL_DB, abs=1.0)
    assert np.abs(clip).max() < 32_000
    assert len(clip) / RATE > SECONDS_A_WORD * len(TEXT.split())
    edge = RATE // 10
    assert np.abs(clip[:edge]).max() > 300
    assert np.abs(clip[-edge:]).max() > 300


def test_a_sentence_sounds_the_same_alone_and_among_others(voice: Voice, tmp_path: Path) -> None:
    among = Voice(tmp_path)
    among.prepare([*OTHERS, TEXT])
    assert (among.clip(TEXT) == voice.clip(TEXT)).all()


def test_what_is_prepared_needs_no_engine_afterwards(voice: Voice) -> None:
    voice.prepare([TEXT, *OTHERS])
    without = Voice(voice.folder, renderer=["/no/such/program"])
    assert without.is_ready(TEXT)
    assert not without.is_ready("Something else.")
    without.prepare([TEXT, *OTHERS])
    assert (without.clip(TEXT) == voice.clip(TEXT)).all()


def test_progress_is_told_and_only_what_is_missing_is_rendered(tmp_path: Path) -> None:
    voice, told = Voice(tmp_path), []
    sentences = [f"Number {number}." for number in range(BATCH + 2)]
    voice.prepare(sentences[:1])
    voice.prepare(sentences, lambda done, of: told.append((done, of)))
    assert told == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]


def test_another_voice_or_rate_is_another_clip(voice: Voice) -> None:
    clips = [
        voice.clip("Begin."),
        voice.speak_as("Begin.", "gmw/en-us+f3"),
        voice.speak_as("Begin.", "gmw/en-us", 90),
    ]
    assert len({clip.tobytes() for clip in clips}) == 3
    assert len(clips[2]) > 1.3 * len(clips[0])


def test_a_clip_cannot_be_changed_by_who_plays_it(voice: Voice) -> None:
    with pytest.raises(ValueError, match="read-only"):
        voice.clip(TEXT)[0] = 1


@pytest.mark.parametrize("damage", ["empty", "short", "flipped", "foreign"])
def test_a_broken_cache_file_is_rendered_again(voice: Voice, tmp_path: Path, damage: str) -> None:
    broken = Voice(tmp_path)
    broken.prepare([TEXT])
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    cut = bytes(data[: len(data) // 3])
    file.write_bytes(
        {"empty": b"", "short": cut, "flipped": bytes(data), "foreign": b"RIFF"}[damage]
    )
    again = Voice(tmp_path)
    assert not again.is_ready(TEXT)
    assert (again.clip(TEXT) == voice.clip(TEXT)).all()
    assert Voice(tmp_path, renderer=["/none"]).is_ready(TEXT)


def test_a_child_that_hangs_is_killed_and_tried_once_more(tmp_path: Path) -> None:
    command = renderer(tmp_path, "import signal\nif first: signal.pause()\nreal()")
    voice = Voice(tmp_path / "cache", renderer=command, start_seconds=1.0)
    voice.prepare([TEXT])
    assert voice.is_ready(TEXT)
    assert children(tmp_path) == 2


def test_a_child_that_always_hangs_is_an_error_after_the_second_time(tmp_path: Path) -> None:
    command = renderer(tmp_path, "import signal; signal.pause()")
    voice = Voice(tmp_path / "cache", renderer=command, start_seconds=0.5)
    with pytest.raises(VoiceError, match="the speech engine hung for 1 s"):
        voice.clip(TEXT)
    assert children(tmp_path) == 2
    assert not (tmp_path / "cache").exists()


def test_a_crash_half_way_costs_only_what_was_not_rendered_yet(tmp_path: Path) -> None:
    crash = f"""
lines = sys.stdin.readlines()
if first: lines = lines[:2]
asked = open(marker + "-asked", "a"); print(len(lines), file=asked); asked.close()
subprocess.run({list(RENDERER)!r} + sys.argv[1:], input="".join(lines), text=True)
if first: os.abort()
"""
    voice = Voice(tmp_path / "cache", renderer=renderer(tmp_path, crash))
    voice.prepare([TEXT, *OTHERS])
    assert all(map(voice.is_ready, [TEXT, *OTHERS]))
    assert (tmp_path / "marker-asked").read_text().split() == ["2", "2"]


def test_speech_that_was_cut_off_is_rendered_again(tmp_path: Path) -> None:
    short = """
import json, wave
if not first: real()
for line in sys.stdin:
    with wave.open(json.loads(line)["file"], "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((b"\\x10\\x20" * 30 + b"\\xf0\\xdf" * 30) * 60)
"""
    voice = Voice(tmp_path / "cache", renderer=renderer(tmp_path, short))
    assert len(voice.clip(TEXT)) > RATE
    assert children(tmp_path) == 2


def test_a_file_of_the_same_name_where_the_person_stands_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "audio.py").write_text("raise SystemExit('not me')")
    monkeypatch.chdir(tmp_path)
    assert len(Voice(tmp_path / "cache").clip(TEXT)) > RATE


def test_noise_on_the_childs_stdout_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    noisy = "print('Audio saved'); print('[1, 2'); print('[]')\nsys.stdout.flush()\nreal()"
    voice = Voice(tmp_path / "cache", renderer=renderer(tmp_path, noisy))
    voice.prepare([TEXT])
    assert children(tmp_path) == 1


def test_a_full_disk_is_one_clear_error_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    program = f"""
import resource, sys
from pathlib import Path
from audio.voice import Voice
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    Voice(Path({str(tmp_path)!r})).prepare(["Yes.", {TEXT * 3!r}])
except Exception as error:
    print(type(error).__name__, error, sep=": ")
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.startswith("VoiceError: ")
    assert "File too large" in ran.stdout
    assert len(ran.stdout.splitlines()) == 1
    assert left_in(tmp_path) <= {".clip"}


def test_a_cache_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(VoiceError, match=r"file/cache: .*\(free some space, or give another"):
        Voice(blocked / "cache").clip(TEXT)


@pytest.mark.parametrize("name", ["nobody", "gmw/en-us+nobody"])
def test_an_unknown_voice_is_named_with_the_remedy(voice: Voice, name: str) -> None:
    with pytest.raises(VoiceError, match="is unknown to espeak") as caught:
        voice.speak_as("Hello.", name)
    assert repr(name) in str(caught.value)
    assert caught.value.remedy == "see: unknot voices"
    assert not voice.is_ready("Hello.")


@pytest.mark.parametrize("text", ["", "   ", "...", "!?"])
def test_a_sentence_without_a_word_is_refused(voice: Voice, text: str) -> None:
    with pytest.raises(VoiceError, match="holds no word to speak"):
        voice.clip(text)


@pytest.mark.parametrize("rate", [0, 59, 451])
def test_a_rate_that_no_engine_speaks_is_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(VoiceError, match="use 60 to 450"):
        Voice(tmp_path, rate=rate)


def test_an_unknown_engine_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match=r"'festival' is unknown \(use pyttsx3\)"):
        Voice(tmp_path, engine_name="festival").clip(TEXT)


def test_the_voices_are_listed_and_the_default_is_one_of_them() -> None:
    assert Voice.voice in voices()


def test_without_any_espeak_there_is_one_line_with_the_remedy() -> None:
    engine = Espeak("libnone.so.1", "no_such_wheel")
    with pytest.raises(VoiceError, match="no espeak library") as caught:
        engine.version()
    assert caught.value.remedy == "pip install espeakng-loader, or apt-get install libespeak-ng1"


def test_the_wheel_serves_where_the_system_has_no_espeak(tmp_path: Path) -> None:
    # In a process of its own: a library that is loaded once stays.
    program = f"""
from pathlib import Path
from audio.espeak import Espeak
engine = Espeak("libnone.so.1")
print(engine.version())
engine.render("Hello there.", "gmw/en-us", 150, Path({str(tmp_path / "hello.wav")!r}))
"""
    environment = {**os.environ, "LD_LIBRARY_PATH": ""}
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert "espeak-ng 1." in ran.stdout, ran.stderr
    assert (tmp_path / "hello.wav").stat().st_size > 20_000


def test_espeak_is_an_engine() -> None:
    engine: SpeechEngine = speech_engine("pyttsx3")
    assert "pyttsx3 2.99 espeak-ng" in engine.version()


def noise(seconds: float, level: float) -> Samples:
    chance = np.random.default_rng(3)
    return chance.normal(0, level, round(seconds * RATE)).astype(np.int16)


def test_shaping_cuts_silence_and_sets_the_level() -> None:
    silence = np.zeros(RATE, np.int16)
    clip = shaped(np.concatenate([silence, noise(0.5, 500), silence]))
    assert len(clip) / RATE == pytest.approx(0.54, abs=0.011)
    assert speech_level_db(clip) == pytest.approx(SPEECH_LEVEL_DB, abs=0.5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-32768, 32767), max_size=2000))
def test_shaping_takes_any_sound(samples: list[int]) -> None:
    clip = shaped(np.array(samples, np.int16))
    assert clip.dtype == np.int16
    assert len(clip) <= len(samples)
