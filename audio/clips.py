"""Rendered sentences on disk and in memory; a broken file must never be played.

A file is the SHA-256 of its samples, then the samples (int16, 16 kHz, mono).
"""

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.sound import RATE, Samples
from audio.speech_engine import disk_error

SPEECH_LEVEL_DB = -20.0
"""Level of a sentence's voiced parts against full scale: the level the echo canceller was measured
at (docs/facts.md A4.2)."""

MEMORY_BYTES = 8_000_000
"""Clips kept in memory: four minutes of speech; the rest is read again when it is needed."""

DISK_BYTES = 300_000_000
"""Clips kept on disk: three voices with every sentence of every routine."""

_DIGEST = hashlib.sha256().digest_size
_FRAME = RATE // 100
_QUIET_DB = -45.0
"""A frame this far below the loudest one is silence."""
_PEAK = 29_000.0
_FULL = 32_700
MOST_CLIPPED = 0.001
_EDGE = _FRAME * 2


class Clips:
    """A folder of clips by key. Safe to use from several threads and several processes."""

    def __init__(self, folder: Path, most_bytes: int = DISK_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._made_room = False
        self._memory: OrderedDict[str, Samples] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Samples | None:
        """The clip, or None when it is missing or broken."""
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
        clip = _read(self._file(key))
        if clip is not None:
            with suppress(OSError):  # a disk that cannot be written is read all the same
                os.utime(self._file(key))
            self._keep(key, clip)
        return clip

    def put(self, key: str, clip: Samples) -> None:
        """Store the clip whole or not at all. Raises `VoiceError` when the disk refuses."""
        data = clip.tobytes()
        try:
            self._make_room()
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_whole(self._file(key), hashlib.sha256(data).digest() + data)
        except OSError as error:
            remedy = "free some space, or give another cache folder"
            raise disk_error(str(self.folder), remedy, error) from error
        self._keep(key, clip)

    def _make_room(self) -> None:
        """Once a run: forget what was not played for longest, as of voices that nobody uses now."""
        if self._made_room:
            return
        self._made_room = True
        clips = [(file.stat(), file) for file in self.folder.glob("*.clip")]
        total = sum(stat.st_size for stat, _ in clips)
        for stat, file in sorted(clips, key=lambda clip: clip[0].st_mtime):
            if total <= self._most_bytes:
                return
            file.unlink(missing_ok=True)
            total -= stat.st_size

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.clip"

    def _keep(self, key: str, clip: Samples) -> None:
        clip.flags.writeable = False
        with self._lock:
            old = self._memory.pop(key, None)
            self._memory[key] = clip
            self._bytes += clip.nbytes - (0 if old is None else old.nbytes)
            while self._bytes > MEMORY_BYTES and len(self._memory) > 1:
                self._bytes -= self._memory.popitem(last=False)[1].nbytes


def shaped(sound: Samples) -> Samples:
    """The same speech without silence around it, at `SPEECH_LEVEL_DB`; empty when there is none."""
    power = _frame_power(sound)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (_QUIET_DB / 10))
    if not len(loud) or not power.max():
        return np.zeros(0, np.int16)
    start = max(0, int(loud[0]) * _FRAME - _EDGE)
    end = int(loud[-1] + 1) * _FRAME + _EDGE
    speech = sound[start:end].astype(np.float32)
    gain = 32768.0 * 10 ** (SPEECH_LEVEL_DB / 20) / np.sqrt(power[loud].mean())
    # A voice with sharp peaks stays a little quieter rather than being clipped.
    gain = min(gain, _PEAK / float(np.abs(speech).max()))
    fade = np.linspace(0.0, 1.0, min(_FRAME, len(speech) // 2), dtype=np.float32)
    speech[: len(fade)] *= fade
    speech[len(speech) - len(fade) :] *= fade[::-1]
    levelled: Samples = np.rint(speech * np.float32(gain)).astype(np.int16)
    return levelled


def clipped(sound: Samples) -> bool:
    """Whether an engine spoke louder than its file can hold: flat tops in more than 0.1 %."""
    return bool((np.abs(sound.astype(np.int32)) >= _FULL).mean() > MOST_CLIPPED)


def speech_level_db(sound: Samples) -> float:
    """Level of the voiced parts in dB against full scale; silence is -100."""
    power = _frame_power(sound)
    loud = power[power > power.max(initial=0.0) * 10 ** (_QUIET_DB / 10)]
    return float(10 * np.log10(loud.mean() / 32768.0**2)) if len(loud) else -100.0


def _frame_power(sound: Samples) -> NDArray[np.float32]:
    """Mean square of every 10 ms, the incomplete last one left out."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float32)
    power: NDArray[np.float32] = np.square(frames).mean(axis=1)
    return power


def _read(file: Path) -> Samples | None:
    try:
        data = file.read_bytes()
    except OSError:
        return None
    digest, samples = data[:_DIGEST], data[_DIGEST:]
    if not samples or len(samples) % 2 or hashlib.sha256(samples).digest() != digest:
        return None
    return np.frombuffer(samples, "<i2").astype(np.int16)


def _write_whole(file: Path, data: bytes) -> None:
    """Readers see the old file or the new one, also after a power cut."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
