"""The loop between devices and session, with blocks that come from the test instead of a card."""

import queue
import threading
import tomllib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from audio.devices import NONE, Devices
from audio.echo import EchoCanceller
from audio.gaps import GAPS
from audio.headset import Headset
from audio.live import Live, Mouth
from audio.messages import (
    Fault,
    FromAudio,
    Health,
    HushCommand,
    Ready,
    SayBegan,
    SayEnded,
    SpeakCommand,
    ToneCommand,
)
from audio.pipeline import Ears, Pipeline
from audio.sound import BLOCK, RATE
from audio.speaker import Player
from audio.voice import RENDERER, Voice
from intents.phrasebook import Phrasebook

FASTER = 4
"""Blocks come so many times faster than real ones."""


def _book() -> Phrasebook:
    return Phrasebook(tomllib.loads(files("config").joinpath("phrases.toml").read_text("utf-8")))


class Running:
    """A live loop without ears, its microphone fed with faint noise."""

    def __init__(self, voice: Voice, faster: float = FASTER) -> None:
        self._faster = faster
        self.told: list[FromAudio] = []
        self._inbox: queue.SimpleQueue[FromAudio] = queue.SimpleQueue()
        player = Player()
        pipeline = Pipeline(Ears(None, None), EchoCanceller(), _book())
        headset = Headset(pipeline, player, voice)
        self._devices = Devices("", NONE, headset.fill)
        self.live = Live(headset, Mouth(player, voice), self._devices, self._inbox.put)
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self.live.run),
            threading.Thread(target=self._feed),
        ]

    def __enter__(self) -> "Running":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.order(None)
        self._done.set()
        for thread in self._threads:
            thread.join()

    def until(self, wanted: Callable[[FromAudio], bool]) -> FromAudio:
        """The next such message; everything before it is kept."""
        while True:
            message = self._inbox.get(timeout=20.0)
            self.told.append(message)
            if wanted(message):
                return message

    def _feed(self) -> None:
        receive = self._devices.microphone.callback(RATE)
        chance = np.random.default_rng(0)
        while not self._done.wait(BLOCK / RATE / self._faster):
            noise = chance.integers(-9, 10, BLOCK).astype(np.int16)
            receive(noise.tobytes(), BLOCK, None, None)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with Running(Voice(tmp_path)) as running:
        yield running


def ends(prompt: str) -> Callable[[FromAudio], bool]:
    return lambda message: isinstance(message, SayEnded) and message.prompt == prompt


def test_it_is_ready_with_the_first_block_and_then_its_heart_beats(running: Running) -> None:
    running.until(lambda message: isinstance(message, Ready))
    assert all(isinstance(message, Health | Ready) for message in running.told)
    ages = [running.until(lambda m: isinstance(m, Health)) for _ in range(4)]
    assert all(isinstance(health, Health) and health.block_age < 0.5 for health in ages)


def test_a_sentence_that_is_not_rendered_yet_is_spoken_and_nobody_is_deaf_meanwhile(
    tmp_path: Path,
) -> None:
    wait = (
        f"import subprocess, threading; threading.Event().wait(1.0); subprocess.run({RENDERER!r})"
    )
    slow = [RENDERER[0], "-c", wait]
    with Running(Voice(tmp_path, renderer=slow)) as running:
        running.live.order(SpeakCommand("new", ("Breathe out slowly.",)))
        running.until(ends("new"))
    began = next(n for n, m in enumerate(running.told) if isinstance(m, SayBegan))
    assert sum(isinstance(message, Health) for message in running.told[:began]) >= 5
    assert running.told[-1] == SayEnded("new", running.told[-1].at, cut=False)


def test_a_hush_also_silences_what_is_still_being_rendered(running: Running) -> None:
    running.live.order(SpeakCommand("late", ("This takes a while to render.",)))
    running.live.order(HushCommand())
    ended = running.until(ends("late"))
    assert isinstance(ended, SayEnded)
    assert ended.cut
    assert not any(isinstance(message, SayBegan) for message in running.told)


def test_a_prompt_that_is_replaced_while_it_is_rendered_is_never_spoken(running: Running) -> None:
    running.live.order(SpeakCommand("old", ("This takes a while to render.",)))
    running.live.order(SpeakCommand("new", ("So does this.",)))
    running.until(ends("new"))
    assert [m.prompt for m in running.told if isinstance(m, SayBegan)] == ["new"]


def test_a_voice_that_fails_is_a_fault_and_the_loop_goes_on(tmp_path: Path) -> None:
    with Running(Voice(tmp_path, renderer=["/no/such/program"])) as running:
        running.live.order(SpeakCommand("x", ("Hello.",)))
        fault = running.until(lambda message: isinstance(message, Fault))
        running.until(lambda message: isinstance(message, Health))
    assert isinstance(fault, Fault)
    assert fault.what == "voice_failed"
    assert "/no/such/program" in fault.detail


def test_a_tone_of_another_version_ends_nothing(running: Running) -> None:
    running.live.order(ToneCommand("gong"))
    running.live.order(SpeakCommand("x", ("Yes.",)))
    running.until(ends("x"))


def test_a_microphone_of_whose_sound_half_is_lost_is_a_fault(tmp_path: Path) -> None:
    with Running(Voice(tmp_path), faster=0.5) as running:
        told = running.until(
            lambda m: isinstance(m, Fault) or (isinstance(m, Health) and m.samples > 6 * RATE)
        )
    assert isinstance(told, Fault)
    assert told.what == GAPS
