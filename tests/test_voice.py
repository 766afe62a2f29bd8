"""Sentences become clips: whole, equally loud, the same each time, whatever the engine does."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from assistant.hearing import make_voice
from assistant.settings import Settings
from audio.clips import SPEECH_LEVEL_DB, shaped, speech_level_db
from audio.espeak import Espeak
from audio.rendering import RENDERER, voices
from audio.sound import RATE, Samples
from audio.speech_engine import Speaker, SpeechEngine, VoiceError, speaker, speech_engine
from audio.tones import NOTES, tone
from audio.voice import FIRST_BATCH, SECONDS_A_WORD, Speech, Voice

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
    sentences = [f"Number {number}." for number in range(22)]
    voice.prepare(sentences[:1])
    voice.prepare(sentences, lambda done, of: told.append((done, of)))
    assert told == [(FIRST_BATCH, 21), (3 * FIRST_BATCH, 21), (21, 21)]


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
    voice = Voice(tmp_path / "cache", renderer=command, patience_seconds=3.0)
    voice.prepare([TEXT])
    assert voice.is_ready(TEXT)
    assert children(tmp_path) == 2


def test_a_rendering_that_nobody_waits_for_ends_at_once(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(60)"
    voice = Voice(tmp_path / "cache", renderer=(sys.executable, "-c", code), patience_seconds=30.0)
    with ThreadPoolExecutor() as pool:
        rendering = pool.submit(voice.prepare, ["Warm."])
        while not started.exists():
            assert not rendering.done()
        voice.give_up()
        assert isinstance(rendering.exception(5.0), VoiceError)


def test_a_child_that_always_hangs_is_an_error_after_the_second_time(tmp_path: Path) -> None:
    command = renderer(tmp_path, "import signal; signal.pause()")
    voice = Voice(tmp_path / "cache", renderer=command, patience_seconds=1.0)
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
    assert ran.stdout.startswith(("VoiceError: ", "EngineFailed: "))
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
    with pytest.raises(VoiceError, match=r"'festival' is unknown \(use auto, hibari, pyttsx3\)"):
        Voice(tmp_path, engine_name="festival")


def test_the_voices_are_listed_and_the_default_is_one_of_them() -> None:
    assert speaker("pyttsx3").voice in voices()


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


# hibari


def patient(folder: Path) -> Voice:
    """The nicer voice, which may take its time to load while other tests run."""
    return Voice(folder, engine_name="hibari", patience_seconds=120.0)


@pytest.fixture(scope="module")
def nicer(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    return patient(tmp_path_factory.mktemp("nicer"))


def test_hibari_speaks_whole_sentences_at_the_level_and_pace_of_the_other_voice(
    voice: Voice, nicer: Voice
) -> None:
    for text in (TEXT, *OTHERS):
        clip, plain = nicer.clip(text), voice.clip(text)
        assert nicer.speaker == Speaker("hibari", "heart")
        assert (clip.shape != plain.shape) or (clip != plain).any()
        assert speech_level_db(clip) == pytest.approx(SPEECH_LEVEL_DB, abs=1.0)
    lengths = [sum(len(v.clip(text)) for text in (TEXT, *OTHERS)) for v in (voice, nicer)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.4)


def test_hibari_says_the_same_samples_again_in_any_order(nicer: Voice, tmp_path: Path) -> None:
    again = patient(tmp_path)
    again.prepare([*reversed(OTHERS), TEXT])
    assert (again.clip(TEXT) == nicer.clip(TEXT)).all()


@pytest.mark.parametrize("name", NOTES)
def test_no_tone_is_as_loud_as_either_voice(voice: Voice, nicer: Voice, name: str) -> None:
    speech = min(speech_level_db(each.clip(t)) for each in (voice, nicer) for t in (TEXT, *OTHERS))
    assert speech_level_db(tone(name)) < speech - 3.0


def test_hibari_speaks_slower_when_asked(nicer: Voice) -> None:
    slow = replace(patient(nicer.folder), rate=100)
    assert len(slow.clip(TEXT)) > 1.25 * len(nicer.clip(TEXT))


UNITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
TENS = (
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)


def in_words(number: int) -> str:
    if number < 20:
        return UNITS[number]
    tens, units = divmod(number, 10)
    return TENS[tens - 2] + (f" {UNITS[units]}" if units else "")


def test_every_number_is_spoken_as_a_word_by_hibari(settings: Settings) -> None:
    """Not digit by digit; the number to call is, and has spaces for that."""
    from hibari.g2p import G2P

    spell = G2P()
    numbered = [text for text in settings.script.every_sentence() if re.search(r"\d", text)]
    assert len(numbered) > 300
    for text in numbered:
        words = re.sub(r"\d+", lambda found: in_words(int(found[0])), text)
        assert spell(text) == spell(words), text


def test_every_number_is_spoken_as_a_word_by_the_plain_voice(voice: Voice) -> None:
    for number in (0, 7, 12, 30):
        assert (voice.clip(f"{number} more.") == voice.clip(f"{in_words(number)} more.")).all()


def test_the_engine_is_chosen_by_what_is_there_and_by_the_voice_s_name() -> None:
    assert speaker("auto") == Speaker("hibari", "heart")
    assert speaker("auto", "heart") == Speaker("hibari", "heart")
    assert speaker("auto", "gmw/de") == Speaker("pyttsx3", "gmw/de")
    assert speaker("pyttsx3") == Speaker("pyttsx3", "gmw/en-us")
    assert speaker("hibari", "emma") == Speaker("hibari", "emma")


def test_a_clip_of_another_engine_or_version_is_another_clip() -> None:
    speeches = [Speech(TEXT, Speaker("hibari", name), 140) for name in ("heart", "emma")]
    keys = {speech.key(version) for speech in speeches for version in ("hibari 1", "hibari 2")}
    assert len(keys) == 4


def test_hibari_never_fetches_a_voice_that_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    assert voices("hibari") == ("heart",)
    told: list[str] = []
    voice = Voice(tmp_path / "cache", "emma", engine_name="hibari", fell_back=told.append)
    voice.prepare(["Yes."])
    assert "voice 'emma' is unknown to hibari (see: unknot voices)" in told[0]
    assert not (tmp_path / "bf_emma.int8.onnx").exists()


BROKEN = {
    "dies": "os.abort()",
    "is silent": "level = 0",
    "is clipped": "level = 40_000",
    "is cut off": "seconds = 0.05",
    "goes astray": "seconds = 60.0",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_an_engine_that_fails_gives_way_to_the_plain_one_and_says_so(
    tmp_path: Path, body: str
) -> None:
    """From then on for everything, so that two voices do not speak by turns."""
    broken = f"""
if sys.argv[1] == "pyttsx3": real()
import json, wave, numpy as np
level, seconds = 3000, 1.5
{body}
for line in sys.stdin:
    sound = np.random.default_rng(0).normal(0, level, int(16000 * seconds)).clip(-32768, 32767)
    with wave.open(json.loads(line)["file"], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
"""
    told: list[str] = []
    voice = Voice(
        tmp_path / "cache",
        engine_name="hibari",
        renderer=renderer(tmp_path, broken),
        fell_back=told.append,
    )
    voice.prepare([TEXT, *OTHERS])
    assert voice.speaker == Speaker("pyttsx3", "gmw/en-us")
    assert all(map(voice.is_ready, [TEXT, *OTHERS]))
    assert len(told) == 1
    assert told[0].startswith("hibari does not speak, pyttsx3 does from now on: ")


def test_a_sound_rendering_of_the_nicer_engine_is_kept(tmp_path: Path) -> None:
    """The same child that the test above breaks, whole."""
    told: list[str] = []
    whole = replace(patient(tmp_path / "cache"), renderer=renderer(tmp_path, "real()"))
    voice = replace(whole, fell_back=told.append)
    voice.prepare(OTHERS)
    assert told == []
    assert voice.speaker.engine == "hibari"


def noise(seconds: float, level: float) -> Samples:
    chance = np.random.default_rng(3)
    return chance.normal(0, level, round(seconds * RATE)).astype(np.int16)


def test_shaping_cuts_silence_and_sets_the_level() -> None:
    silence = np.zeros(RATE, np.int16)
    clip = shaped(np.concatenate([silence, noise(0.5, 500), silence]))
    assert len(clip) / RATE == pytest.approx(0.54, abs=0.011)
    assert speech_level_db(clip) == pytest.approx(SPEECH_LEVEL_DB, abs=0.5)


@examples(max_examples=50, deadline=None)
@given(st.lists(st.integers(-32768, 32767), max_size=2000))
def test_shaping_takes_any_sound(samples: list[int]) -> None:
    clip = shaped(np.array(samples, np.int16))
    assert clip.dtype == np.int16
    assert len(clip) <= len(samples)


def test_in_virtual_time_the_plain_voice_speaks_unless_another_is_named(
    settings: Settings,
) -> None:
    def with_voice(**more: str) -> Settings:
        return replace(settings, voice=settings.voice.model_copy(update=more))

    assert make_voice(settings).speaker.engine == "hibari"
    assert make_voice(settings, live=False).speaker.engine == "pyttsx3"
    for named in ({"name": "heart"}, {"engine": "hibari"}):
        assert make_voice(with_voice(**named), live=False).speaker == Speaker("hibari", "heart")
