"""Real PortAudio streams through a sound server of our own: two rooms without a sound card.

What is played into the sink "room" is what the microphone hears; what the loudspeaker plays goes
into the sink "speaker", whose monitor we record. Few tests, generous limits: time is real here.
"""

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from listener import Listener
from massage import Massage, seconds_until
from sound_server import Recorder, SoundServer, need_sound_server

from assistant.ear import COMMAND, Patience
from assistant.settings import Settings
from audio.messages import (
    Ear,
    Fault,
    FromAudio,
    Heard,
    HushCommand,
    Level,
    Ready,
    Recovered,
    SayBegan,
    SayEnded,
    SpeakCommand,
)
from audio.sound import RATE, Samples
from intents.intent import Intent

LOST = "microphone_lost"
CLIPS = Path(__file__).parent / "clips"
STOP = CLIPS / "person1_stop.flac"
HUSHES = 3
QUIET = 100
"""Samples below this are silence."""
WORD_LEVEL = 500
"""The word's own end: 36 dB below full scale."""
ECHO_DB = -12.0
"""The loudspeaker at the microphone, against what it plays; the person comes as recorded."""
SETTLED_SECONDS = 6.0
"""How long the canceller hears our voice before the person says a word."""
MOST_WORDS, AGAIN_SECONDS = 3, 2.0
"""So often a person says stop, and waits so long to be obeyed."""


Measured = Callable[[str, object], None]
"""Keeps a figure for bench/real_sound.py."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    need_sound_server()
    server = SoundServer(tmp_path)
    for name, value in server.rooms[0].environment.items():
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.stop()


def live_arguments(server: SoundServer) -> list[str]:
    devices = ["--microphone=pulse", "--loudspeaker=pulse", f"--cache={server.folder}/voice"]
    return ["--live", "--engine=embedded", *devices]


def listener(server: SoundServer) -> Listener:
    return Listener((*COMMAND, *live_arguments(server)), Patience(silence=3.0))


def is_ready(message: FromAudio) -> bool:
    return isinstance(message, Ready)


def is_speaking(message: FromAudio) -> bool:
    return isinstance(message, SayBegan)


def is_a_stop(message: FromAudio) -> bool:
    return isinstance(message, Heard) and message.level in (Level.SUSPECT, Level.CONFIRMED)


def test_a_person_in_the_room_is_heard_saying_stop(
    server: SoundServer, record_property: Measured
) -> None:
    async def check() -> Listener:
        ears, began = listener(server), time.monotonic()
        async with ears.listening():
            await ears.until(is_ready)
            record_property("listening_after_the_start", round(time.monotonic() - began, 1))
            voice = server.rooms[0].speak(CLIPS / "person1_stop.flac")
            await ears.until(is_a_stop)
            await asyncio.to_thread(voice.wait)
        return ears

    ears = asyncio.run(check())
    assert {m.level for m in ears.told if isinstance(m, Heard)} & {Level.SUSPECT, Level.CONFIRMED}
    assert ears.faults() == []


def test_a_hush_is_silence_at_the_loudspeaker(
    server: SoundServer, record_property: Measured
) -> None:
    sentence = "Let your shoulders sink, and breathe out slowly, as long as it feels good to you."

    async def check() -> tuple[list[int], Samples]:
        ears, hushed_at = listener(server), []
        async with ears.listening():
            await ears.until(is_ready)
            recorder = server.record("speaker0.monitor")
            for _ in range(HUSHES):
                ears.process.send(SpeakCommand("long", (sentence,) * 4, 0.0))
                await ears.until(is_speaking)
                await ears.until(lambda message: getattr(message, "at", 0.0) > said_at(ears) + 2.0)
                hushed_at.append(recorder.length)
                ears.process.send(HushCommand())
                await ears.until(lambda _: recorder.length > hushed_at[-1] + RATE)
            return hushed_at, recorder.stop()

    hushed_at, sound = asyncio.run(check())
    spans = [np.flatnonzero(np.abs(sound[at : at + RATE]) > QUIET) for at in hushed_at]
    seconds = max(span[-1] / RATE if len(span) else 0.0 for span in spans)
    record_property("silent_after_a_hush", round(seconds, 3))
    assert all(np.abs(sound[at - RATE : at]).max() > QUIET for at in hushed_at)
    assert seconds < 0.5, f"silent only after {seconds:.2f} s"


def said_at(ears: Listener) -> float:
    return [message.at for message in ears.told if isinstance(message, SayBegan)][-1]


def test_a_stop_said_over_our_own_voice_and_its_echo_is_confirmed_and_switches_off(
    server: SoundServer, record_property: Measured, settings: Settings
) -> None:
    """The person's recording and the loudspeaker's echo reach one virtual microphone. Who is not
    obeyed says it again, as our prompts ask: one word over a voice is not always enough."""
    room = server.rooms[0]
    server.control("load-module", "module-null-sink", "sink_name=person", "rate=48000")
    room.hear("person.monitor", 0.0)
    room.hear(room.ear, ECHO_DB)
    sentence = "Let your shoulders sink, and breathe out slowly, as long as it feels good to you."

    answer = settings.script.line("stopped")

    async def check() -> tuple[Massage, int, Samples, Samples]:
        massage = Massage(settings, live_arguments(server), patience=Patience(silence=3.0))
        async with massage.under_way():
            massage.ears.send(SpeakCommand("ahead", answer, 0.0))  # so that it is rendered
            await seconds_until(lambda: began(massage, "ahead"), 30.0)
            massage.ears.send(SpeakCommand("long", (sentence,) * 6, 0.0))
            await seconds_until(lambda: began(massage, "long"), 30.0)
            await seconds_until(lambda: False, SETTLED_SECONDS)
            assert massage.on, massage.lines
            person, speaker = server.record("person.monitor"), server.record(room.ear)
            await seconds_until(lambda: person.length and speaker.length, 10.0)
            off_at = await off_at_the_word(server, massage, person)
            await seconds_until(lambda: False, 0.5)
            assert not massage.on
        return massage, off_at, person.stop(), speaker.stop()

    with room.hissing(server.folder):
        massage, off_at, person, speaker = asyncio.run(check())
    heard = [m for m in massage.told if isinstance(m, Heard) and m.level is Level.CONFIRMED]
    assert [(m.intent, m.ear) for m in heard][:1] == [(Intent.STOP, Ear.ALARM)]
    assert [m for m in massage.told if isinstance(m, SayEnded) and m.prompt == "long"][-1].cut
    word_over = end_of_sound(person, WORD_LEVEL)
    silent, again = the_gap(speaker, word_over)
    record_property("massager_off_after_the_spoken_word", round((off_at - word_over) / RATE, 2))
    record_property("silent_after_the_spoken_word", round((silent - word_over) / RATE, 2))
    record_property("silence_until_the_answer", round((again - silent) / RATE, 2))
    assert off_at - word_over < RATE
    assert silent - word_over < RATE


async def off_at_the_word(server: SoundServer, massage: Massage, person: Recorder) -> int:
    """Say stop until it halts; the sample of `person` at which the last word turned it off."""
    off_at = 0
    for _ in range(MOST_WORDS):
        # A mere suspicion lets it go on: each word is to turn off what is on.
        await seconds_until(lambda: massage.on or began(massage, "stopped"), AGAIN_SECONDS)
        if began(massage, "stopped"):
            break
        voice = server.play(STOP, "person")
        await seconds_until(lambda: not massage.on, AGAIN_SECONDS)
        off_at = person.length
        await seconds_until(lambda: began(massage, "stopped"), AGAIN_SECONDS)
        await asyncio.to_thread(voice.wait)
    return off_at


def end_of_sound(sound: Samples, level: int) -> int:
    """The sample after which nothing is louder than `level`."""
    loud = np.flatnonzero(np.abs(sound) > level)
    assert len(loud)
    return int(loud[-1])


def the_gap(sound: Samples, around: int) -> tuple[int, int]:
    """The longest silence that begins less than 1.5 s before or after `around`: from, to."""
    loud = np.flatnonzero(np.abs(sound) > QUIET)
    gaps = np.diff(loud)
    near = np.flatnonzero(np.abs(loud[:-1] - around) < 1.5 * RATE)
    longest = near[np.argmax(gaps[near])]
    return int(loud[longest]), int(loud[longest + 1])


def began(massage: Massage, prompt: str) -> bool:
    return any(isinstance(m, SayBegan) and m.prompt == prompt for m in massage.told)


def test_a_sound_server_that_dies_is_a_fault_and_its_return_is_noticed(
    server: SoundServer, record_property: Measured
) -> None:
    async def check() -> float:
        ears = listener(server)
        async with ears.listening():
            await ears.until(is_ready)
            server.stop()
            stopped_at = time.monotonic()
            await ears.until(lambda message: message == Fault(LOST, detail(message)))
            noticed_after = time.monotonic() - stopped_at
            await asyncio.to_thread(server.start)
            # PortAudio may hang in a call when the server goes: then a new process hears again.
            back = (Recovered(LOST), Recovered("audio_process_died"))
            await ears.until(lambda message: message in back, 60.0)
            voice = server.rooms[0].speak(CLIPS / "person1_stop.flac")
            await ears.until(lambda message: isinstance(message, Heard))
            await asyncio.to_thread(voice.wait)
        return noticed_after

    seconds = asyncio.run(check())
    record_property("lost_microphone_noticed_after", round(seconds, 2))
    assert seconds < 3.5


def detail(message: FromAudio) -> str:
    return message.detail if isinstance(message, Fault) else ""


def test_the_sound_check_finds_nothing_wrong_here_and_everything_without_a_server(
    server: SoundServer,
) -> None:
    # In a process of its own: PortAudio reads the list of devices once.
    program = "from audio.soundcard import sound_check; print(*sound_check(seconds=8), sep='\\n')"
    command = [*COMMAND[:1], "-c", program]
    working = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert working.stdout.strip() == ""
    server.stop()
    broken = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "plug in a microphone" in broken.stdout
    assert "plug in a loudspeaker" in broken.stdout
