"""Text to sound: renders sentences ahead and keeps them; it must never play, nor hang with espeak.

Rendering happens in a short-lived child (`audio.render`), because espeak can hang or crash and
hibari takes 200 MB; the clips are 16 kHz, without silence around them, and equally loud. An engine
that fails gives way to the plain one, for as long as the program runs: one voice, not two by turns.
"""

import hashlib
import json
import logging
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audio import sound
from audio.clips import Clips, clipped, shaped
from audio.rendering import RENDERER, EngineFailed, GivenUp, render
from audio.sound import RATE, Samples
from audio.speech_engine import AUTO, PLAIN, Speaker, VoiceError, disk_error, speaker, speech_engine

CALM_RATE = 150
"""Words a minute; espeak's own 175 sounds hurried to somebody who rests."""

FIRST_BATCH, BATCH = 5, 50
"""Sentences a child renders before it is replaced: what a hang can cost. Each batch is twice the
one before, so that what is said first is ready first."""

SECONDS_A_WORD = 0.04
"""Anything shorter was cut off (docs/facts.md A2)."""
LONGEST_SECONDS_A_WORD = 3.0
"""Anything longer went astray."""

_RATES = range(60, 451)
_log = logging.getLogger("voice")


@dataclass(frozen=True)
class Speech:
    """What is to be rendered, and how; `rate` in words a minute."""

    text: str
    by: Speaker
    rate: int

    def key(self, version: str) -> str:
        """Name of its clip: changes with everything that changes the sound."""
        parts = json.dumps([self.text, self.by.voice, self.rate, version])
        return hashlib.sha256(parts.encode()).hexdigest()

    def is_whole(self, clip: Samples) -> bool:
        """Whether the clip can hold every word, and no more than them."""
        seconds, words = len(clip) / RATE, len(self.text.split())
        return SECONDS_A_WORD * words < seconds < LONGEST_SECONDS_A_WORD * (words + 1)


@dataclass
class Voice:
    """Speaks sentences as clips. Safe to use from several threads.

    `folder` is the cache. `voice` "" is the engine's own, `engine_name` "auto" the best there is.
    `renderer` is the command of the child; it is a parameter so that a broken one can be tried.
    `fell_back` is told why another voice speaks from now on.
    """

    folder: Path
    voice: str = ""
    rate: int = CALM_RATE
    engine_name: str = PLAIN
    renderer: Sequence[str] = RENDERER
    patience_seconds: float = 30.0
    """A child that prints no sentence for so long hangs."""
    fell_back: Callable[[str], None] = field(repr=False, default=_log.warning)
    _speaker: Speaker = field(init=False, repr=False)
    _clips: Clips = field(init=False, repr=False)
    _versions: dict[str, str] = field(init=False, repr=False, default_factory=dict)
    _rendering: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)
    _given_up: threading.Event = field(init=False, repr=False, default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Raise `VoiceError` for an engine that there is not, or a rate that none speaks at."""
        self._clips = Clips(self.folder)
        self._speaker = speaker(self.engine_name, self.voice)
        if not speech_engine(self._speaker.engine).is_there():
            self._fall_back(EngineFailed("it is not installed", "pip install 'unknot[voice]'"))
        _check_rate(self.rate)

    @property
    def speaker(self) -> Speaker:
        """Who speaks now."""
        return self._speaker

    def prepare(
        self, sentences: Iterable[str], progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Render what is missing. `progress` is told (done, of). Raises `VoiceError`."""
        texts = list(dict.fromkeys(sentences))
        with self._rendering:
            try:
                self._prepare(texts, progress)
            except EngineFailed as error:
                self._fall_back(error)
                self._prepare(texts, progress)

    def give_up(self) -> None:
        """Nobody waits for a rendering any more: from now on each ends soon, with `VoiceError`."""
        self._given_up.set()

    def clip(self, sentence: str) -> Samples:
        """The sentence in this voice, rendered now if it has to be. Raises `VoiceError`."""
        if not self.is_ready(sentence):
            self.prepare([sentence])
        return self._found(self._speech(sentence))

    def speak_as(self, text: str, voice: str, rate: int = CALM_RATE) -> Samples:
        """The text in another voice, as "gmw/en-us+f3", of whatever engine. Raises `VoiceError`."""
        _check_rate(rate)
        speech = Speech(text, speaker(AUTO, voice), rate)
        if self._stored(speech) is None:
            with self._rendering:
                self._render([speech], attempts=2)
        return self._found(speech)

    def is_ready(self, sentence: str) -> bool:
        """Whether `clip` needs no rendering."""
        return self._stored(self._speech(sentence)) is not None

    def _speech(self, text: str) -> Speech:
        return Speech(text, self._speaker, self.rate)

    def _stored(self, speech: Speech) -> Samples | None:
        return self._clips.get(self._key(speech))

    def _found(self, speech: Speech) -> Samples:
        clip = self._stored(speech)
        if clip is None:
            remedy = "check the cache folder's disk"
            raise VoiceError(f"{self.folder}: a clip was lost right after it was written", remedy)
        return clip

    def _key(self, speech: Speech) -> str:
        engine = speech.by.engine
        if engine not in self._versions:
            self._versions[engine] = speech_engine(engine).version()
        return speech.key(self._versions[engine])

    def _fall_back(self, error: EngineFailed) -> None:
        """Let the plain engine speak from now on; raises `error` where it was the plain one."""
        failed = self._speaker
        if failed.engine == PLAIN:
            raise error
        self._speaker = speaker(PLAIN)
        self.fell_back(f"{failed.engine} does not speak, {PLAIN} does from now on: {error}")

    def _prepare(self, texts: Sequence[str], progress: Callable[[int, int], None] | None) -> None:
        missing = [speech for speech in map(self._speech, texts) if self._stored(speech) is None]
        attempts = 2 if self._speaker.engine == PLAIN else 1
        done, batch = 0, FIRST_BATCH
        while done < len(missing):
            self._render(missing[done : done + batch], attempts)
            done = min(done + batch, len(missing))
            batch = min(2 * batch, BATCH)
            if progress:
                progress(done, len(missing))

    def _render(self, missing: Sequence[Speech], attempts: int) -> None:
        """Each attempt is a child of its own, for what the one before left over."""
        for speech in missing:
            if not any(letter.isalnum() for letter in speech.text):
                raise VoiceError(f"{speech.text!r} holds no word to speak", "give it words")
        left, reason = list(missing), None
        for _ in range(attempts):
            if left:
                left, reason = self._attempt(left)
        if left:
            raise reason or EngineFailed(f"{_short(left[0])} was not rendered")

    def _attempt(self, missing: Sequence[Speech]) -> tuple[list[Speech], EngineFailed | None]:
        """What is still missing after one child, and its last complaint."""
        try:
            with tempfile.TemporaryDirectory(prefix="unknot-voice-") as folder:
                files = {Path(folder) / f"{number}.wav": s for number, s in enumerate(missing)}
                complaint = self._run_child(files)
                left = [speech for file, speech in files.items() if not self._store(file, speech)]
        except OSError as error:
            remedy = "free some space, or set TMPDIR to another folder"
            raise disk_error("temporary folder", remedy, error) from error
        return left, complaint

    def _store(self, file: Path, speech: Speech) -> bool:
        try:
            spoken = sound.read(file)
        except sound.BadSound:
            return False
        clip = shaped(spoken)
        if clipped(spoken) or not speech.is_whole(clip):
            return False
        self._clips.put(self._key(speech), clip)
        return True

    def _run_child(self, files: dict[Path, Speech]) -> EngineFailed | None:
        (engine,) = {speech.by.engine for speech in files.values()}
        asked = [
            {"text": s.text, "voice": s.by.voice, "rate": s.rate, "file": str(file)}
            for file, s in files.items()
        ]
        if self._given_up.is_set():
            raise GivenUp
        return render([*self.renderer, engine], asked, self.patience_seconds, self._given_up)


def _check_rate(rate: int) -> None:
    if rate not in _RATES:
        span = f"{_RATES.start} to {_RATES.stop - 1}"
        raise VoiceError(f"rate {rate} words a minute is not spoken", f"use {span}")


def _short(speech: Speech) -> str:
    text = speech.text if len(speech.text) <= 40 else f"{speech.text[:37]}..."
    return f"{text!r} in voice {speech.by.voice!r}"
