"""What the doctor makes of sound: judged by data, and by real streams."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sound_server import SoundServer
from test_pulse import server

from assistant.doctor_ears import ears, speed
from assistant.doctor_echo import (
    SOUND_SECONDS,
    Echo,
    Recording,
    echo,
    loopback,
    soft_noise,
)
from assistant.doctor_listening import Tape
from assistant.doctor_microphone import Heard, bar, heard, microphone
from assistant.doctor_spoken import MOST, read_script, sentences
from assistant.machine_checks import Check
from assistant.reading import check as read_aloud
from assistant.settings import Settings
from audio.sound import BLOCK, RATE, Samples, level_db, read, to_int16

__all__ = ["server"]
CLIPS = Path(__file__).parent / "clips"
WANTED = tomllib.loads(Path(__file__).with_name("prompts.toml").read_text())
UNKNOT = str(Path(sys.executable).with_name("unknot"))
GOOD = Echo(delay_seconds=0.08, level_db=-40.0, taken_db=38.0, talked=0)
CALM = Heard(room_db=-62.0, talk_db=-27.0, clipped=0, muted=False)


def hiss(seconds: float, db: float = -66.0) -> Samples:
    sound = np.random.default_rng(1).standard_normal(round(seconds * RATE))
    return to_int16((sound * 10 ** (db / 20)).astype(np.float32))


def recorded(delay: float, gain_db: float, room_db: float = -66.0) -> Recording:
    """The test sound through a room with one path."""
    quiet = np.zeros(RATE, np.int16)
    played = np.concatenate([quiet, soft_noise(), quiet])
    shift = round(delay * RATE)
    path = 10 ** (gain_db / 20) * np.roll(played.astype(np.float32), shift) / 32768.0
    room = hiss(len(played) / RATE, room_db).astype(np.float32) / 32768.0
    return Recording(to_int16(path + room), played)


# The loudspeaker, as the microphone hears it


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.085, 0.31, 0.9])
def test_the_delay_is_found_to_the_millisecond(delay: float) -> None:
    found = echo(recorded(delay, -20.0)).delay_seconds
    assert found == pytest.approx(delay, abs=0.001)


@pytest.mark.parametrize("gain_db", [0.0, -12.0, -30.0])
def test_the_echo_is_as_loud_as_it_is(gain_db: float) -> None:
    found = echo(recorded(0.08, gain_db))
    assert found.level_db == pytest.approx(-20.0 + gain_db, abs=1.0)


def test_the_canceller_takes_a_plain_echo_out() -> None:
    found = echo(recorded(0.08, -10.0))
    assert found.taken_db > 25.0
    assert found.talked == 0
    assert loopback(found).ok


def test_an_echo_that_comes_too_late_is_neither_taken_out_nor_passed() -> None:
    found = loopback(echo(recorded(0.9, -10.0)))
    assert "with a cable" in found.remedy


def test_an_echo_below_the_room_is_no_echo() -> None:
    found = echo(recorded(0.08, -70.0, room_db=-50.0))
    assert found.delay_seconds is None
    assert loopback(found).value == "the microphone hears nothing of the loudspeaker"


def test_a_microphone_that_goes_silent_beside_a_sound_does_not_pass() -> None:
    whole = recorded(0.08, -10.0)
    mic = whole.mic.copy()
    mic[round(2.5 * RATE) :] = 0
    check = loopback(echo(replace(whole, mic=mic)))
    assert check.value == "the microphone went silent while sound was played"
    assert check.exit_code == 3


@pytest.mark.parametrize("mic", [np.zeros(6 * RATE, np.int16), hiss(6.0)])
def test_a_microphone_that_hears_nothing_of_it_has_no_delay(mic: Samples) -> None:
    quiet = np.zeros(RATE, np.int16)
    played = np.concatenate([quiet, soft_noise(), quiet])
    assert echo(Recording(mic, played)).delay_seconds is None


def test_where_nothing_was_played_there_is_no_echo() -> None:
    assert echo(Recording(hiss(2.0), np.zeros(2 * RATE, np.int16))).delay_seconds is None


@pytest.mark.parametrize(
    ("found", "words", "code"),
    [
        (replace(GOOD, delay_seconds=None), "unless you wear headphones", 0),
        (replace(GOOD, delay_seconds=None, gaps=7), "end other programs", 3),
        (replace(GOOD, delay_seconds=0.45), "with a cable", 0),
        (replace(GOOD, delay_seconds=-0.02), "restart the sound server", 0),
        (replace(GOOD, talked=1), "taken for a person's", 3),
        (replace(GOOD, level_db=-30.0, taken_db=9.0), "automatic gain", 0),
        (replace(GOOD, level_db=-15.0), "words are lost while it speaks", 0),
    ],
)
def test_each_trouble_with_the_echo_has_its_remedy(found: Echo, words: str, code: int) -> None:
    check = loopback(found)
    assert not check.ok
    assert words in check.remedy
    assert check.exit_code == code


@pytest.mark.parametrize("found", [GOOD, replace(GOOD, level_db=-60.0, taken_db=6.0)])
def test_an_echo_that_is_dealt_with_or_hardly_there_is_good(found: Echo) -> None:
    assert loopback(found).ok


def test_the_test_sound_is_soft_swells_as_speech_does_and_is_always_the_same() -> None:
    sound = soft_noise()
    assert len(sound) == SOUND_SECONDS * RATE
    assert level_db(sound) == pytest.approx(-26.0, abs=0.1)
    levels = [level_db(sound[at : at + BLOCK]) for at in range(0, len(sound), BLOCK)]
    assert max(levels) - min(levels) > 20.0
    assert (sound == soft_noise()).all()


def test_a_tape_is_silent_before_it_is_started_and_after_its_end() -> None:
    tape = Tape(np.arange(1, 6, dtype=np.int16))
    assert not tape.fill(3).any()
    tape.running = True
    assert [tape.fill(3).tolist() for _ in range(3)] == [[1, 2, 3], [4, 5, 0], [0, 0, 0]]


# The microphone


def test_a_person_in_a_quiet_room_is_told_from_it() -> None:
    word = read(CLIPS / "person1_stop.flac")
    found = heard(np.concatenate([hiss(3.0), word, hiss(1.0)]))
    assert found.room_db == pytest.approx(-66.0, abs=2.0)
    assert found.talk_db is not None
    assert found.talk_db > found.room_db + 15.0
    assert not found.clipped


def test_a_quiet_room_alone_holds_no_talk() -> None:
    assert heard(hiss(3.0)).talk_db is None


def test_a_soft_person_is_told_by_how_much_to_turn_the_gain_up() -> None:
    word = read(CLIPS / "person1_stop.flac").astype(np.float32) / 32768.0
    level = heard(np.concatenate([hiss(1.0, -80.0), to_int16(word)])).talk_db
    assert level is not None
    soft = to_int16(word * 10 ** ((-44.0 - level) / 20))
    check = microphone(heard(np.concatenate([hiss(1.0, -80.0), soft])))
    assert not check.ok
    assert check.remedy.startswith("turn its gain up by 1")


def test_sound_that_is_cut_off_is_told() -> None:
    check = microphone(heard(np.concatenate([hiss(1.0), np.full(50, 32767, np.int16), hiss(1.0)])))
    assert "50 samples too loud and cut off" in check.value
    assert "gain down" in check.remedy


@pytest.mark.parametrize("sound", [np.zeros(RATE, np.int16), np.zeros(0, np.int16)])
def test_perfect_silence_is_no_microphone(sound: Samples) -> None:
    check = microphone(heard(sound))
    assert not check.ok
    assert check.exit_code == 5


@pytest.mark.parametrize(
    ("found", "expects_talk", "ok", "words"),
    [
        (CALM, True, True, ""),
        (replace(CALM, talk_db=None), False, True, ""),
        (replace(CALM, talk_db=None), True, False, "run it again and speak"),
        (replace(CALM, room_db=-44.0), True, False, "what hums"),
        (replace(CALM, talk_db=-43.0), True, False, "turn its gain up by 17 dB"),
        (replace(CALM, clipped=5), True, False, "turn its gain down by 10 dB"),
        (replace(CALM, clipped=4), True, True, ""),
    ],
)
def test_each_trouble_with_the_gain_has_its_remedy(
    found: Heard, expects_talk: bool, ok: bool, words: str
) -> None:
    check = microphone(found, expects_talk=expects_talk)
    assert check.ok is ok
    assert words in check.remedy


def test_the_bar_grows_with_the_level_and_always_has_its_length() -> None:
    bars = [bar(level) for level in (-100.0, -60.0, -30.0, -10.0, 0.0, 6.0)]
    assert [each.count("#") for each in bars] == sorted(each.count("#") for each in bars)
    assert {each.index("]") for each in bars} == {41}
    assert bars[0].count("|") == 2


# The ears


def test_the_ears_are_tried_and_their_speed_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert ears(settings).value.startswith("alarm ear")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("load", "answer", "ok"), [(0.2, True, True), (0.6, True, False), (0.1, False, False)]
)
def test_ears_that_are_slow_or_broken_do_not_pass(load: float, answer: bool, ok: bool) -> None:
    assert speed("alarm ear", load, answer).ok is ok


# Aloud

POOR = Check("disk", False, "3 MB free", "free 200 MB", 3)


def test_all_well_is_said_in_a_word() -> None:
    assert list(sentences([replace(POOR, ok=True)], read_script()))[1:] == [
        "All is well.",
        "You can begin.",
    ]


def test_each_trouble_is_said_once_and_counted() -> None:
    checks = [POOR, replace(POOR, check="sound"), replace(POOR, check="sound")]
    said = list(sentences(checks, read_script()))
    assert "2 things need your care." in said
    assert said.count("Check both plugs.") == 1
    assert said[-2] == "That was all."


def test_a_device_by_name_and_a_check_without_words_are_spoken_of_too() -> None:
    script = read_script()
    broker = replace(POOR, check="broker 10.0.0.1:1883")
    assert "Check its name and password." in sentences([broker], script)
    assert "One check did not pass." in sentences([replace(POOR, check="new")], script)
    assert list(sentences([replace(POOR, check=f"c{n}") for n in range(99)], script))


def test_every_check_has_words_of_its_own_that_keep_the_rules(settings: Settings) -> None:
    script = read_script()
    report = read_aloud(script, settings.phrasebook, ())
    assert not report.findings
    spoken = set(re.findall(r"[a-z]+", " ".join(script.every_sentence()).lower()))
    assert not spoken & {*WANTED["safety_words"], *WANTED["sound_alikes"]}
    assert f"{MOST} things need your care." in script.every_sentence()


def test_every_language_has_the_words_of_every_check() -> None:
    english, german = read_script(), read_script("de")
    assert set(german.ids()) == set(english.ids())
    assert len(list(german.every_sentence())) == len(list(english.every_sentence()))
    assert not set(german.every_sentence()) & set(english.every_sentence())


# Real streams, on a sound server without a sound card


@pytest.fixture
def echoing(server: SoundServer, monkeypatch: pytest.MonkeyPatch) -> SoundServer:
    """What the loudspeaker plays comes back into the room, a little later."""
    monkeypatch.setenv("STATE_DIRECTORY", str(server.folder / "state"))
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(server.folder))
    monkeypatch.setenv("CACHE_DIRECTORY", str(server.folder / "cache"))
    (server.folder / "settings.toml").write_text(
        '[hearing]\nmicrophone = "pulse"\nloudspeaker = "pulse"\n'
    )
    room = server.rooms[0]
    way = (f"source={room.ear}", f"sink={room.air}", "latency_msec=60")
    server.control("load-module", "module-loopback", *way)
    return server


def doctor(*options: str) -> dict[str, dict[str, object]]:
    """In a process of its own: PortAudio reads the list of devices once."""
    done = subprocess.run(
        [UNKNOT, "doctor", "--json", *options], capture_output=True, text=True, timeout=240
    )
    assert "Traceback" not in done.stderr, done.stderr
    lines = map(json.loads, done.stdout.splitlines())
    return {str(line["check"]): line for line in lines}


def test_the_doctor_plays_a_sound_and_hears_what_becomes_of_it(echoing: SoundServer) -> None:
    checks = doctor()
    assert checks["sound"]["ok"]
    value = str(checks["echo"]["value"])
    found = re.match(r"(-?\d+) ms late, (-?\d+) dB, (-?\d+) dB of it taken out", value)
    assert found, value
    late, level, taken = map(int, found.groups())
    assert 10 <= late <= 400, value
    assert level == pytest.approx(-20, abs=3), value
    assert taken > 15, value


def test_the_level_of_somebody_who_talks_is_told_and_what_was_found_is_said_aloud(
    echoing: SoundServer,
) -> None:
    room = echoing.rooms[0]
    recorder = echoing.record(room.ear)
    voice = subprocess.Popen(
        ["bash", "-c", f"while paplay --device={room.air} {CLIPS}/person1_stop.flac; do :; done"]
    )
    try:
        checks = doctor("--level", "--seconds", "3", "--spoken")
    finally:
        voice.kill()
        voice.wait()
        sound = recorder.stop()
    assert set(checks) == {"microphone"}
    assert "talk at -" in str(checks["microphone"]["value"])
    assert np.count_nonzero(np.abs(sound) > 1000) > RATE
