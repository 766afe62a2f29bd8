"""Text to sound: renders sentences ahead and keeps them; it must never play, nor hang with espeak.

Rendering happens in a short-lived child (`audio.render`), because espeak can hang or crash; the
clips are 16 kHz, without silence around them, and equally loud.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audio import sound
from audio.clips import Clips, shaped
from audio.sound import RATE, Samples
from audio.speech_engine import VoiceError, speech_engine

CALM_RATE = 150
"""Words a minute; espeak's own 175 sounds hurried to somebody who rests."""

BATCH = 50
"""Sentences a child renders before it is replaced: what a hang can cost."""

SECONDS_A_WORD = 0.04
"""Anything shorter was cut off (docs/facts.md A2)."""

RENDERER = (sys.executable, "-P", "-m", "audio.render")
_RATES = range(60, 451)
_REMEDY = "try again; if it stays, reinstall espeak"


@dataclass(frozen=True)
class Speech:
    """What is to be rendered, and how; `rate` in words a minute."""

    text: str
    voice: str
    rate: int

    def key(self, version: str) -> str:
        """Name of its clip: changes with everything that changes the sound."""
        parts = json.dumps([self.text, self.voice, self.rate, version])
        return hashlib.sha256(parts.encode()).hexdigest()

    def is_whole(self, clip: Samples) -> bool:
        """Whether the clip is long enough to hold every word."""
        return len(clip) > SECONDS_A_WORD * RATE * len(self.text.split())


@dataclass
class Voice:
    """Speaks sentences as clips. Safe to use from several threads.

    `folder` is the cache. `renderer` is the command of the child; it is a parameter so that a
    broken one can be tried.
    """

    folder: Path
    voice: str = "gmw/en-us"
    rate: int = CALM_RATE
    engine_name: str = "pyttsx3"
    renderer: Sequence[str] = RENDERER
    start_seconds: float = 15.0
    """Time a child may take before its first sentence; each sentence adds half a second."""
    _clips: Clips = field(init=False, repr=False)
    _version: str = field(init=False, repr=False, default="")
    _rendering: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Raise `VoiceError` for a rate that no engine speaks at."""
        self._clips = Clips(self.folder)
        _check_rate(self.rate)

    def prepare(
        self, sentences: Iterable[str], progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Render what is missing. `progress` is told (done, of). Raises `VoiceError`."""
        wanted = dict.fromkeys(Speech(text, self.voice, self.rate) for text in sentences)
        with self._rendering:
            missing = [speech for speech in wanted if self._stored(speech) is None]
            for start in range(0, len(missing), BATCH):
                self._render(missing[start : start + BATCH])
                if progress:
                    progress(min(start + BATCH, len(missing)), len(missing))

    def clip(self, sentence: str) -> Samples:
        """The sentence in this voice, rendered now if it has to be. Raises `VoiceError`."""
        return self.speak_as(sentence, self.voice, self.rate)

    def speak_as(self, text: str, voice: str, rate: int = CALM_RATE) -> Samples:
        """The text in another voice, as "gmw/en-us+f3". Raises `VoiceError`."""
        _check_rate(rate)
        speech = Speech(text, voice, rate)
        clip = self._stored(speech)
        if clip is None:
            with self._rendering:
                self._render([speech])
            clip = self._stored(speech)
        if clip is None:
            remedy = "check the cache folder's disk"
            raise VoiceError(f"{self.folder}: a clip was lost right after it was written", remedy)
        return clip

    def is_ready(self, sentence: str) -> bool:
        """Whether `clip` needs no rendering."""
        return self._stored(Speech(sentence, self.voice, self.rate)) is not None

    def _stored(self, speech: Speech) -> Samples | None:
        self._version = self._version or speech_engine(self.engine_name).version()
        return self._clips.get(speech.key(self._version))

    def _render(self, missing: Sequence[Speech]) -> None:
        """Two attempts, each in a child of its own, the second for what the first left over."""
        for speech in missing:
            if not any(letter.isalnum() for letter in speech.text):
                raise VoiceError(f"{speech.text!r} holds no word to speak", "give it words")
        left, _ = self._attempt(missing)
        if left:
            left, reason = self._attempt(left)
            if left:
                raise reason or VoiceError(f"{_short(left[0])} was not rendered", _REMEDY)

    def _attempt(self, missing: Sequence[Speech]) -> tuple[list[Speech], VoiceError | None]:
        """What is still missing after one child, and its last complaint."""
        try:
            with tempfile.TemporaryDirectory(prefix="unknot-voice-") as folder:
                files = {Path(folder) / f"{number}.wav": s for number, s in enumerate(missing)}
                complaint = self._run_child(files)
                left = [speech for file, speech in files.items() if not self._store(file, speech)]
        except OSError as error:
            remedy = "free some space, or set TMPDIR to another folder"
            raise VoiceError(f"temporary folder: {error.strerror or error}", remedy) from error
        return left, complaint

    def _store(self, file: Path, speech: Speech) -> bool:
        try:
            clip = shaped(sound.read(file))
        except sound.BadSound:
            return False
        if not speech.is_whole(clip):
            return False
        self._clips.put(speech.key(self._version), clip)
        return True

    def _run_child(self, files: dict[Path, Speech]) -> VoiceError | None:
        asked = [
            {"text": s.text, "voice": s.voice, "rate": s.rate, "file": str(file)}
            for file, s in files.items()
        ]
        seconds = self.start_seconds + 0.5 * len(asked)
        lines = "".join(f"{json.dumps(line)}\n" for line in asked)
        try:
            printed = _run([*self.renderer, self.engine_name], lines, seconds)
        except subprocess.TimeoutExpired:
            return VoiceError(f"the speech engine hung for {seconds:.0f} s", _REMEDY)
        except OSError as error:
            return VoiceError(f"the speech engine cannot be started: {error}", _REMEDY)
        return _complaint(printed)


def voices(engine_name: str = "pyttsx3") -> tuple[str, ...]:
    """The voices there are. Raises `VoiceError`."""
    try:
        printed = _run([*RENDERER, engine_name, "--voices"], "", 15.0)
    except subprocess.TimeoutExpired as error:
        raise VoiceError("the speech engine hung while listing its voices", _REMEDY) from error
    complaint = _complaint(printed)
    if complaint:
        raise complaint
    return tuple(str(name) for answer in _answers(printed) for name in answer.get("voices", ()))


def _run(command: Sequence[str], lines: str, seconds: float) -> str:
    """What the child printed. Raises `TimeoutExpired` after killing it and all that it started."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            return child.communicate(lines, timeout=seconds)[0]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _answers(printed: str) -> list[dict[str, Any]]:
    """The child's lines; one that a crash cut short is left out."""
    found = []
    for line in printed.splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [answer for answer in found if isinstance(answer, dict)]


def _complaint(printed: str) -> VoiceError | None:
    """The last error the child reported."""
    errors = [answer for answer in _answers(printed) if "error" in answer]
    if not errors:
        return None
    return VoiceError(str(errors[-1]["error"]), str(errors[-1].get("remedy", _REMEDY)))


def _check_rate(rate: int) -> None:
    if rate not in _RATES:
        span = f"{_RATES.start} to {_RATES.stop - 1}"
        raise VoiceError(f"rate {rate} words a minute is not spoken", f"use {span}")


def _short(speech: Speech) -> str:
    text = speech.text if len(speech.text) <= 40 else f"{speech.text[:37]}..."
    return f"{text!r} in voice {speech.voice!r}"
