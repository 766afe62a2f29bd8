"""Prints how fast a session is simulated, what it costs, and which synthetic persons are heard.

    python bench/simulate.py [--voices]

The first figure is a session of over ten minutes with the massager, through the command itself.
It measures; it never judges, and nothing in it is a test.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assistant.hearing import load_ears, make_voice
from assistant.paths import voice_folder
from assistant.phases.massage_verbs import ANSWERS
from assistant.room.acoustics import Microphone, person_path
from assistant.room.building import PERSON_RATES, PERSON_VOICES
from assistant.room.sound import BLOCK, RATE, utterance
from assistant.settings import Settings, load
from audio.echo import EchoCanceller
from audio.messages import Level
from audio.pipeline import Pipeline
from intents.intent import Intent

SESSION = """
routine = "neck-massager"
seconds = 900
[room]
echo_db = -10.0
[[person]]
on = "asked:screening"
repeat = true
delay = 0.5
say = "no"
[[person]]
on = "asked:hearing_check"
repeat = true
delay = 0.5
say = "stop"
[[person]]
on = "asked:rating_before"
repeat = true
delay = 0.5
say = "three"
[[person]]
on = "asked:preparing"
repeat = true
delay = 0.5
say = "ready"
[[person]]
on = "asked:massage"
repeat = true
delay = 0.5
say = "yes"
[[person]]
on = "asked:rating_after"
repeat = true
delay = 0.5
say = "two"
"""
NUMBERS = frozenset({Intent.NUMBER, Intent.SKIP})
YES_NO = frozenset({Intent.YES, Intent.NO, Intent.UNSURE})
WORDS = (
    ("start neck massage", frozenset({Intent.START, Intent.TOOL}), Intent.START),
    ("yes", YES_NO, Intent.YES),
    ("no", YES_NO, Intent.NO),
    ("stop", YES_NO, Intent.STOP),
    ("ready", frozenset({Intent.READY, Intent.YES, Intent.CONTINUE}), Intent.READY),
    ("three", NUMBERS, Intent.NUMBER),
    ("six", NUMBERS, Intent.NUMBER),
    ("stop", frozenset(ANSWERS), Intent.STOP),
    ("tingling", frozenset(ANSWERS), Intent.TINGLING),
    ("i am dizzy, so dizzy", frozenset(ANSWERS), Intent.DIZZY),
    ("pause", frozenset(ANSWERS), Intent.PAUSE),
    ("hold", frozenset(ANSWERS), Intent.HOLD),
    ("next", frozenset(ANSWERS), Intent.NEXT),
    ("continue", frozenset(ANSWERS), Intent.CONTINUE),
    ("finish", frozenset(ANSWERS), Intent.FINISH),
)


def main(arguments: list[str]) -> None:
    """Print the figures."""
    print_speed()
    if "--voices" in arguments:
        print_voices(load(personal=False))


def print_speed() -> None:
    """One long session through the command: how much faster than real time, and what it takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.toml"
        path.write_text(SESSION, encoding="utf-8")
        # Once to render what is spoken, which a machine does only once.
        _simulate(path)
        before = _seconds_of_children()
        session = _simulate(path)
        seconds = _seconds_of_children() - before
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"session simulated: {session['at']:.0f} s, ended {session.get('why', 'by the clock')}")
    print(f"processor time: {seconds:.1f} s, {session['at'] / seconds:.0f} times real time")
    print(f"largest memory: {memory:.0f} MB")


def _simulate(path: Path) -> dict[str, Any]:
    """Play a scenario with the command, and return its last event."""
    command = [sys.executable, "-m", "assistant", "simulate", str(path), "--events", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    last: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return last


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_voices(settings: Settings) -> None:
    """Every voice of the person: which words the ears hear from it, in a quiet room."""
    print(f"prompts and voices are kept in {voice_folder()}")
    for voice in PERSON_VOICES:
        for rate in PERSON_RATES:
            missed = list(_missed(settings, voice, rate))
            heard = len(WORDS) - len(missed)
            print(f"{voice:<20} {rate} {heard:2d} of {len(WORDS)}  not: {', '.join(missed)}")


def _missed(settings: Settings, voice: str, rate: int) -> Iterator[str]:
    for text, expected, wanted in WORDS:
        pipeline = Pipeline(load_ears(settings), EchoCanceller(), settings.phrasebook)
        pipeline.expect(expected)
        if wanted not in _heard(pipeline, settings, text, voice, rate):
            yield text


def _heard(
    pipeline: Pipeline, settings: Settings, text: str, voice: str, rate: int
) -> set[Intent | None]:
    clip = make_voice(settings).speak_as(text, voice, rate).astype(np.float32) / np.float32(32768)
    quiet = np.zeros(RATE, np.float32)
    sound = np.concatenate((quiet, utterance(text, clip).sound, quiet))
    path, microphone = person_path(None), Microphone(np.random.default_rng(0))
    silence, heard = np.zeros(BLOCK, np.int16), []
    for block in sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK):
        heard += pipeline.hear(microphone.block(path.block(block)), silence)
    return {h.intent for h in heard if h.level in (Level.CONFIRMED, Level.FINAL)}


if __name__ == "__main__":
    main(sys.argv[1:])
