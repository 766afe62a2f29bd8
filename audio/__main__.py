"""`python -m audio`: what hears and speaks, as a program; nothing but messages goes to its stdout.

`--live` speaks JSON lines with whoever started it (audio/wire.py) and ends when stdin does. `--wav`
prints what a recording holds. It must never outlive the one who started it.
"""

import ctypes
import json
import logging
import os
import signal
import sys
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

import click
from platformdirs import PlatformDirs

from audio.errors import NotFit, UnknotError
from audio.messages import Fault, FromAudio, ToAudio
from audio.pipeline import Ears
from intents.phrasebook import Phrasebook

STUCK_EXIT = 70
CLOSING_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1
_DIRS = PlatformDirs("unknot", appauthor=False)
_PATH = click.Path(path_type=Path)
_log = logging.getLogger("audio")


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    live: bool = False
    wav: Path | None = None
    playing: Path | None = None
    microphone: str = ""
    loudspeaker: str = ""
    engine: str = "auto"
    model: Path | None = None
    data: Path = field(default_factory=lambda: _DIRS.user_data_path)
    phrases: Path = field(default_factory=lambda: Path(str(files("config"))) / "phrases.toml")
    voice: str = ""
    voice_engine: str = "pyttsx3"
    rate: int = 150
    cache: Path = field(default_factory=lambda: _DIRS.user_cache_path / "voice")


@click.command()
@click.option("--live", is_flag=True, help="Speak JSON lines on stdin and stdout.")
@click.option("--wav", type=_PATH, metavar="FILE", help="Print what this recording holds.")
@click.option("--playing", type=_PATH, metavar="FILE", help="What the loudspeaker played then.")
@click.option("--microphone", metavar="DEVICE", help="A number, or a part of a name.")
@click.option("--loudspeaker", metavar="DEVICE|none", help="A number, or a part of a name.")
@click.option(
    "--engine", type=click.Choice(["auto", "vosk", "embedded", "sphinx"]), help="The word ear."
)
@click.option("--model", type=_PATH, metavar="FOLDER", help="A speech model.")
@click.option("--data", type=_PATH, metavar="FOLDER", help="Where speech models are installed.")
@click.option("--phrases", type=_PATH, metavar="FILE", help="The words of a language.")
@click.option("--voice", metavar="NAME", help="Who speaks.")
@click.option("--voice-engine", metavar="NAME", help="What makes the speech.")
@click.option("--rate", type=int, metavar="WORDS", help="Words a minute.")
@click.option("--cache", type=_PATH, metavar="FOLDER", help="Where rendered sentences are kept.")
def main(**given: object) -> None:
    """Hear and speak: --live with a session, --wav a recording."""
    options = Options(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    if options.live == (options.wav is not None):
        raise click.UsageError("give either --live or --wav FILE")
    logging.basicConfig(format="audio: %(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        if options.wav is not None:
            hear_file(options, options.wav)
        else:
            live(options)
    except UnknotError as error:
        click.echo(f"unknot: {error}", err=True)
        sys.exit(error.exit_code)


def hear_file(options: Options, wav: Path) -> None:
    """Print one JSON line for everything heard in a recording. Raises `UnknotError`."""
    from audio.hear import Hearing
    from audio.sound import read

    playing = read(options.playing) if options.playing else None
    book = _phrasebook(options.phrases)
    for event in Hearing(_ears(options, book), book).hear(wav, playing):
        click.echo(json.dumps(event))


def live(options: Options) -> NoReturn:
    """Hear and speak on real devices until stdin ends. Raises `UnknotError` before it has begun."""
    from audio.devices import Devices
    from audio.echo import EchoCanceller
    from audio.headset import Headset
    from audio.live import Live, Mouth, SoundCardHangs
    from audio.pipeline import Pipeline
    from audio.soundcard import portaudio
    from audio.speaker import Player
    from audio.voice import Voice

    _end_with_parent()
    tell = _teller(_keep_stdout_clean())
    portaudio()
    book = _phrasebook(options.phrases)
    voice = Voice(
        options.cache,
        options.voice,
        options.rate,
        options.voice_engine,
        fell_back=lambda why: tell(Fault("voice_changed", why)),
    )
    mouth = Mouth(Player(), voice)
    pipeline = Pipeline(_ears(options, book), EchoCanceller(), book)
    headset = Headset(pipeline, mouth.player, voice)
    devices = Devices(options.microphone, options.loudspeaker, headset.fill)
    process = Live(headset, mouth, devices, tell)
    threading.Thread(target=_read_orders, args=(process.order,), daemon=True).start()
    process.warm_up()
    devices.start()
    try:
        process.run()
    except SoundCardHangs as error:
        _log.error("%s", error)
        os._exit(STUCK_EXIT)
    devices.close()
    # Not sys.exit: PortAudio may hang in what it does at the end of a process.
    os._exit(0)


def _ears(options: Options, book: Phrasebook) -> Ears:
    from audio.engine import Engine, Listening, open_ears
    from audio.models import Places

    places = Places(options.data, option=options.model)
    return open_ears(Listening.ALL, Engine(options.engine), places, book)


def _phrasebook(file: Path) -> Phrasebook:
    try:
        return Phrasebook(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise NotFit(f"{file}: {error.strerror}", "name a phrases.toml") from error
    except ValueError as error:  # no UTF-8, no TOML, no phrases
        told = "; ".join(str(error).splitlines())
        raise NotFit(f"{file}: {told}", "see: unknot doctor") from error


def _read_orders(order: Callable[[ToAudio | None], None]) -> None:
    """Every line of stdin is a command; its end is the end, also for a loop that hangs."""
    from audio.wire import Garbage, to_audio

    for line in sys.stdin.buffer:
        command = to_audio(line)
        if isinstance(command, Garbage):
            _log.warning("no command: %s: %s", command.why, command.start)
        else:
            order(command)
    order(None)
    threading.Event().wait(CLOSING_SECONDS)
    os._exit(STUCK_EXIT)


def _teller(stream: int) -> Callable[[FromAudio], None]:
    from audio.wire import encode

    lines = os.fdopen(stream, "w", encoding="ascii")
    lock = threading.Lock()

    def tell(message: FromAudio) -> None:
        try:
            with lock:
                lines.write(encode(message))
                lines.flush()
        except OSError:  # nobody listens any more
            os._exit(0)

    return tell


def _keep_stdout_clean() -> int:
    """Keep stdout for our lines alone: whatever a library prints goes to stderr."""
    ours = os.dup(1)
    os.dup2(2, 1)
    return ours


def _end_with_parent() -> None:
    """Be killed with whoever started this, even while a library hangs with Python's lock."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
