"""Says aloud what the doctor found, for a person without a screen.

It must never say a value or a remedy from a check: only sentences of doctor.toml.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from assistant.hearing import make_voice
from assistant.language import ENGLISH, Folders
from assistant.machine_checks import Check
from assistant.paths import config_folder
from assistant.problem import ConfigError
from assistant.prompt_file import read_prompts
from assistant.script import Script
from assistant.settings import Settings, default_folder
from assistant.toml_file import read_toml
from audio.play import play_aloud
from audio.sound import RATE

MOST = 30


def read_script(language: str = ENGLISH) -> Script:
    """The sentences of doctor.toml in this language. Raises `ConfigError`."""
    file = Folders(default_folder(), config_folder(), language).file("doctor.toml")
    prompts, problems = read_prompts(read_toml(file))
    if problems:
        raise ConfigError(problems)
    return Script(prompts)


def sentences(checks: Iterable[Check], script: Script) -> Iterator[str]:
    """What to say of these checks: how many need care, then a word about each of them."""
    poor = list(dict.fromkeys(_prompt(check, script) for check in checks if not check.ok))
    yield from script.line("doctor.intro")
    if not poor:
        yield from script.line("doctor.well")
        return
    number = min(len(poor), MOST)
    yield from (
        script.line("doctor.more", number=number) if number > 1 else script.line("doctor.one")
    )
    for prompt in poor:
        yield from script.line(prompt)
    yield from script.line("doctor.end")


def say(spoken: Iterable[str], settings: Settings) -> None:
    """Speak through the loudspeaker as set, and wait. Raises `VoiceError` and `AudioMissing`."""
    voice, texts = make_voice(settings), tuple(spoken)
    voice.prepare(texts)
    gap = np.zeros(round(settings.voice.gap_seconds * RATE), np.int16)
    sound = np.concatenate([part for text in texts for part in (voice.clip(text), gap)])
    gain = 10 ** (settings.voice.volume_db / 20)
    play_aloud(np.rint(sound * gain).astype(np.int16), settings.hearing.loudspeaker)


def _prompt(check: Check, script: Script) -> str:
    """The prompt about a check: by its name, or by its first word, as in "broker 10.0.0.1:1883"."""
    names = (check.check.replace(" ", "_"), check.check.split()[0], "")
    wanted = (f"doctor.check.{name}" for name in names if name)
    return next((prompt for prompt in wanted if script.has(prompt)), "doctor.other")
