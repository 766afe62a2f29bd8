"""Says aloud what the doctor found, for a person without a screen.

It must never say a value or a remedy from a check: only sentences of doctor.toml.
"""

import time
from collections.abc import Iterable, Iterator

from assistant.hearing import make_voice
from assistant.language import ENGLISH, Folders
from assistant.machine_checks import Check
from assistant.paths import config_folder
from assistant.problem import ConfigError
from assistant.prompt_file import read_prompts
from assistant.script import Script
from assistant.settings import Settings, default_folder
from assistant.toml_file import read_toml
from audio.errors import AudioMissing
from audio.loudspeaker import Loudspeaker
from audio.messages import SayEnded
from audio.sound import RATE
from audio.soundcard import open_stream
from audio.speaker import Player

LOOK_SECONDS = 0.05
LATE_SECONDS = 10.0
"""How much longer than its sound a loudspeaker may take before it is given up."""
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
    voice, player, texts = make_voice(settings), Player(), tuple(spoken)
    voice.prepare(texts)
    clips = [voice.clip(text) for text in texts]
    player.volume(settings.voice.volume_db)
    gap_seconds = settings.voice.gap_seconds
    player.say("doctor", clips, texts, gap_seconds)
    callback = Loudspeaker(player.fill).callback
    stream, _ = open_stream("loudspeaker", settings.hearing.loudspeaker, callback)
    seconds = sum(len(clip) / RATE + gap_seconds for clip in clips)
    with stream:
        _wait(player, time.monotonic() + seconds)


def _wait(player: Player, over: float) -> None:
    """Until the last word is out, not before `over`: a sound server takes sound ahead of time.

    Raises `AudioMissing`.
    """
    while not any(isinstance(told, SayEnded) for told in player.take_messages(0.0)):
        if time.monotonic() > over + LATE_SECONDS:
            raise AudioMissing("the loudspeaker takes no sound", "check the loudspeaker")
        time.sleep(LOOK_SECONDS)
    time.sleep(max(0.0, over - time.monotonic()) + 0.5)  # what the sound card has still in hand


def _prompt(check: Check, script: Script) -> str:
    """The prompt about a check: by its name, or by its first word, as in "broker 10.0.0.1:1883"."""
    names = (check.check.replace(" ", "_"), check.check.split()[0], "")
    wanted = (f"doctor.check.{name}" for name in names if name)
    return next((prompt for prompt in wanted if script.has(prompt)), "doctor.other")
