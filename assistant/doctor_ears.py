"""Tries how fast this machine hears; it must never load an ear that would write to the disk."""

import time

import numpy as np

from assistant.doctor_echo import soft_noise
from assistant.hearing import places
from assistant.machine_checks import Check
from assistant.settings import Settings
from audio.echo import EchoCanceller
from audio.engine import Engine, Listening, open_ears
from audio.errors import NotFit
from audio.models import find
from audio.pipeline import Pipeline
from audio.sound import BLOCK, RATE, blocks

SLOWEST = 0.5
"""Of the time there is: more, and a busy moment would make the ears late."""


def ears(settings: Settings) -> Check:
    """Load the ears that listen and give them four seconds of sound. Raises `UnknotError`.

    Vosk's are left out: loading them would put a copy of the model on the disk.
    """
    embedded = find(places(settings)) is None
    listening = Listening.ALL if embedded else Listening.ALARM
    opened = open_ears(listening, Engine.EMBEDDED, places(settings), settings.phrasebook)
    pipeline = Pipeline(opened, EchoCanceller(), settings.phrasebook)
    sound = soft_noise()
    began = time.process_time()
    for block in blocks(sound):
        pipeline.hear(block, np.zeros(BLOCK, np.int16))
    name = f"alarm ear and {pipeline.ready.engine}" if embedded else "alarm ear"
    return speed(name, (time.process_time() - began) / (len(sound) / RATE), pipeline.ears_answer)


def speed(name: str, load: float, answer: bool) -> Check:
    """Judge the processor time for a second of sound, in seconds."""
    if not answer:
        remedy = "install unknot again, and tell its makers if it stays"
        return Check("ears", False, f"{name}: one broke", remedy, NotFit.exit_code)
    value = f"{name}: {1000 * load:.0f} ms of work for a second of sound"
    remedy = "end other programs, or use a faster machine: a Raspberry Pi 4 or 5"
    return Check("ears", load <= SLOWEST, value, remedy, NotFit.exit_code)
