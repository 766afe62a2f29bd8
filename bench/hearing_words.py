"""Prints how many words of people the word ear gets right, and what every part of hearing costs.

Usage: `python bench/hearing_words.py [sphinx|vosk]`; for vosk, $UNKNOT_MODEL names the model. It
needs the development recordings beside the repository (../shared/audio), and must never be run as
a test: its figures depend on the machine and on the recordings.
"""

import csv
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assistant.settings import load
from audio.echo import EchoCanceller, Talk
from audio.engine import Engine, Listening, open_ears
from audio.hear import FLUSH_SECONDS
from audio.messages import Heard, Level
from audio.models import Places
from audio.pipeline import Ears, Pipeline
from audio.sound import BLOCK, RATE, Samples, blocks, read, to_int16
from intents.intent import SAFETY, Intent

RECORDINGS = Path(__file__).parents[2] / "shared" / "audio"
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
QUESTIONS = {
    "yes or no": (frozenset({Intent.YES, Intent.NO, Intent.UNSURE}), ("yes", "no", "stop")),
    "zero to ten": (frozenset({Intent.NUMBER}), (*NUMBERS, "stop")),
    "anything": (frozenset[Intent](), ("yes", "no", "stop", "pause")),
}
TALK = ("isolated non-command word", "isolated non-command phrase", "read speech")
TALK_CLIPS = 40
LEAD_SECONDS = 0.5
FAR_ROOM = 8


def main(engine: Engine) -> None:
    """Print everything for one engine."""
    if not RECORDINGS.is_dir():
        print(f"{RECORDINGS}: no recordings there; nothing to measure")
        return
    settings = load()
    rows = list(csv.DictReader((RECORDINGS / "manifest.csv").open(encoding="utf-8")))
    words = open_ears(Listening.WORDS, engine, _places(), settings.phrasebook)
    for room in (None, _rooms(rows)[FAR_ROOM]):
        place = "far" if room is not None else "clean"
        for name, (expected, wanted) in QUESTIONS.items():
            pipeline = _Fresh(words, expected)
            _words(f"{name}, {place}", pipeline, rows, wanted, room)
            _talk(f"{name}, {place}", pipeline, rows, room)
    _costs(rows, engine)


class _Fresh:
    """A fresh pipeline for each clip."""

    def __init__(self, ears: Ears, expected: frozenset[Intent]) -> None:
        self._ears, self._expected = ears, expected
        self._book = load().phrasebook

    def hear(self, sound: Samples) -> list[Heard]:
        """Everything heard in one clip."""
        pipeline = Pipeline(self._ears, EchoCanceller(), self._book)
        pipeline.reset()
        pipeline.expect(self._expected)
        silence = np.zeros(BLOCK, np.int16)
        return [heard for block in blocks(sound) for heard in pipeline.hear(block, silence)]


def _places() -> Places:
    """No model but the one that $UNKNOT_MODEL names, and a copy of it that is not kept."""
    return Places(Path(tempfile.mkdtemp(prefix="unknot-bench-")))


def _rooms(rows: list[dict[str, str]]) -> list[Samples]:
    return [read(RECORDINGS / r["file"]) for r in rows if r["subset"] == "room response"]


def _words(
    title: str,
    pipeline: _Fresh,
    rows: list[dict[str, str]],
    wanted: tuple[str, ...],
    room: Samples | None,
) -> None:
    """Words right, wrong and not heard."""
    clips = [r for r in rows if r["kind"] == "positive" and r["text"] in wanted]
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    seconds, began = 0.0, time.process_time()
    for row in clips:
        sound = _placed(RECORDINGS / row["file"], room)
        seconds += len(sound) / RATE
        got = _decided(pipeline.hear(sound))
        right[row["text"]] += row["text"] in got
        wrong[row["text"]] += bool(got) and row["text"] not in got
    cost = (time.process_time() - began) / seconds
    each = " ".join(f"{w} {right[w]}/{sum(r['text'] == w for r in clips)}" for w in wanted)
    share = 100 * right.total() / len(clips)
    print(
        f"{title}: {share:.1f} % of {len(clips)} right, {100 * wrong.total() / len(clips):.1f} %"
        f" wrong; {cost:.3f} s of CPU a second; {each}",
        flush=True,
    )


def _talk(title: str, pipeline: _Fresh, rows: list[dict[str, str]], room: Samples | None) -> None:
    """What talk that is not meant for us is taken for."""
    for kind in TALK:
        clips = [r for r in rows if r["subset"] == kind][:TALK_CLIPS]
        suspect = safety = ordinary = 0
        seconds = 0.0
        for row in clips:
            sound = _placed(RECORDINGS / row["file"], room)
            seconds += len(sound) / RATE
            heard = [h for h in pipeline.hear(sound) if h.intent]
            suspect += sum(h.level is Level.SUSPECT for h in heard)
            safety += sum(h.intent in SAFETY and h.level is Level.CONFIRMED for h in heard)
            ordinary += sum(h.intent not in SAFETY and h.level is Level.FINAL for h in heard)
        print(
            f"  {title}, {kind}: {suspect} suspicions, {safety} halts, {ordinary} commands"
            f" in {len(clips)} clips, {seconds / 60:.1f} min",
            flush=True,
        )


def _decided(heard: list[Heard]) -> set[str]:
    """The words that would have been acted on; a suspicion pauses everything."""
    sure = [h for h in heard if h.intent]
    return {
        NUMBERS[h.value] if h.intent is Intent.NUMBER and h.value is not None else h.intent.value
        for h in sure
        if h.intent
    }


def _placed(file: Path, room: Samples | None) -> Samples:
    """The recording with quiet around it, said into a room if there is one."""
    sound = read(file).astype(np.float32) / 32768
    noise = np.random.default_rng(len(sound))
    if room is not None:
        wet = _convolved(sound, room.astype(np.float32) / 32768)
        sound = wet * np.sqrt(np.mean(sound**2) / max(np.mean(wet[: len(sound)] ** 2), 1e-9))
    ends = (round(LEAD_SECONDS * RATE), round(FLUSH_SECONDS * RATE))
    whole = np.pad(sound, ends)
    hiss = 10 ** ((-60 if room is not None else -70) / 20) * noise.standard_normal(len(whole))
    return to_int16((whole + hiss).astype(np.float32))


def _convolved(sound: np.ndarray, room: np.ndarray) -> np.ndarray:
    size = 1 << (len(sound) + len(room) - 2).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[
        : len(sound) + 4000
    ]


def _costs(rows: list[dict[str, str]], engine: Engine) -> None:
    """CPU seconds a second of audio, part by part."""
    words = [r for r in rows if r["kind"] == "positive"][::20]
    speech = np.concatenate([_placed(RECORDINGS / r["file"], None) for r in words])
    quiet = to_int16(np.random.default_rng(0).standard_normal(30 * RATE).astype(np.float32) * 1e-3)
    for name, sound in (("people saying words", speech), ("a quiet room", quiet)):
        for part, cost in _parts(sound, engine):
            print(f"cost, {name}: {part} {cost:.4f} s of CPU a second", flush=True)


def _parts(sound: Samples, engine: Engine) -> Iterator[tuple[str, float]]:
    canceller, talk = EchoCanceller(), Talk()
    book = load().phrasebook
    ears = open_ears(Listening.ALL, engine, _places(), book)
    silence = np.zeros(BLOCK, np.int16)
    whole = Pipeline(ears, EchoCanceller(), book)
    whole.expect(frozenset({Intent.YES, Intent.NO}))
    hearers = {
        "canceller": lambda block: canceller.clean(block, silence),
        "somebody talks": talk.hear,
        "alarm ear": ears.alarm.hear if ears.alarm else (lambda _: []),
        "word ear": ears.words.hear if ears.words else (lambda _: []),
        "everything": lambda block: whole.hear(block, silence),
    }
    for part, hear in hearers.items():
        began = time.process_time()
        for block in blocks(sound):
            hear(block)
        yield part, (time.process_time() - began) / (len(sound) / RATE)


if __name__ == "__main__":
    main(Engine(sys.argv[1] if len(sys.argv) > 1 else "sphinx"))
