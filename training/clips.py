"""Reads the recordings to train and judge the ears on, and deals them into folds by person.

A person, a noise, a piece of music or a room is in one fold only, so what is reported was measured
on people and surroundings that the judged weights never met. It must never put one speaker in two.
"""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FOLDS = 3
ANY_FOLD = -1
"""Synthetic voices: in every fold's training, never judged."""
KEPT_OUT = -2
"""Synthetic voices that judge the words which no recorded person says."""
WORDS = ("stop", "dizzy", "tingling", "pause", "start")
"""The alarm ear's words; `start` is the phrase "start neck massage"."""
TEST_VOICES = ("piper:joe", "flite:rms", "kokoro:jf_nezumi")
SAFETY = re.compile(r"\b(stop\w*|dizzy|tingl\w*|pause\w*|start neck)\b")
"""In a text: it is no sample of talk without the words."""
MORE = {"music": "songs", "acted": "acted", "shout": "shouts", "effect": "effects"}
"""What training.music and .actors call their clips, and the list of a Bank that they are in."""
LEAST_IN_A_SENTENCE = 4
"""Words; fewer are a command or a near-sound."""
WORD_IN = re.compile(r"\b(stop|dizzy|tingling|pause)\b")
_SMALL_ROOMS = ("living", "studio", "bedroom", "basement", "seminar", "room_sb")


@dataclass(frozen=True)
class Clip:
    """One recording, 16 kHz, -1 to 1. `word` is what is said when it is one word or phrase."""

    sound: Floats
    fold: int
    speaker: str
    word: str
    source: str
    name: str


@dataclass
class Bank:
    """All clips by what they are good for."""

    words: dict[str, list[Clip]] = field(default_factory=lambda: defaultdict(list))
    """Each of WORDS, spoken alone."""
    phrases: dict[str, list[Clip]] = field(default_factory=lambda: defaultdict(list))
    """Longer synthetic utterances that end in the word."""
    other: list[Clip] = field(default_factory=list)
    """Single words that are none of WORDS, recorded."""
    near: list[Clip] = field(default_factory=list)
    """Synthetic near-sounds without any of WORDS, a word or two."""
    sentences: list[Clip] = field(default_factory=list)
    """The same, longer."""
    prompts: list[Clip] = field(default_factory=list)
    """What the program says, in its own voices."""
    talk: list[Clip] = field(default_factory=list)
    """Running speech and phrases without any of WORDS, recorded."""
    noise: list[Clip] = field(default_factory=list)
    music: list[Clip] = field(default_factory=list)
    songs: list[Clip] = field(default_factory=list)
    """More music, in every fold's training, never judged; so are the next three."""
    acted: list[Clip] = field(default_factory=list)
    """Lines of actors, a few seconds each."""
    shouts: list[Clip] = field(default_factory=list)
    """A word or two of theirs, or a cry."""
    effects: list[Clip] = field(default_factory=list)
    """Short sounds that nobody speaks."""
    rooms: list[Clip] = field(default_factory=list)


def fold_of(person: str) -> int:
    """The fold of a speaker (or a file, where nobody knows who speaks)."""
    return int(hashlib.sha256(person.encode()).hexdigest(), 16) % FOLDS


def active(sound: Floats) -> tuple[int, int]:
    """First and last sample of the sounding part of an isolated word."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    level = 20 * np.log10(np.sqrt((frames**2).mean(1)) + 1e-6)
    sounding = np.flatnonzero(level > max(np.percentile(level, 15) + 10, level.max() - 30))
    if not len(sounding):
        return 0, len(sound)
    return int(sounding[0]) * 160, (int(sounding[-1]) + 1) * 160


def read(folders: list[Path], voices: Sequence[Path] = ()) -> Bank:
    """Folders with a manifest.csv, and those that training.voices made."""
    bank = Bank()
    for folder in folders:
        with (folder / "manifest.csv").open(newline="") as manifest:
            for row in csv.DictReader(manifest):
                _sort_in(bank, row, folder)
    for folder in voices:
        read_voices(bank, folder)
    for clips in (bank.noise, bank.music, bank.rooms):
        clips[:] = _dealt(clips)
    return bank


def read_voices(bank: Bank, folder: Path) -> None:
    """Adds what training.voices made."""
    with (folder / "index.csv").open(newline="") as index:
        for row in csv.DictReader(index):
            _sort_voice(bank, row, folder)


def _sort_in(bank: Bank, row: dict[str, str], folder: Path) -> None:
    kind, subset, text = row["kind"], row["subset"], row["text"].lower().strip()
    if row["file"].startswith("tts/"):
        _sort_synthetic(bank, row, folder)
        return
    person = row["speaker"] or row["file"]
    clip = _load(folder, row["file"], fold_of(person), person, text, subset)
    if kind == "positive" and text in WORDS:
        if row["note"] != "unconfirmed":
            bank.words[text].append(clip)
    elif kind == "positive" or subset == "isolated non-command word":
        bank.other.append(clip)
    elif kind == "negative" and not SAFETY.search(text):
        bank.talk.append(clip)
    else:
        _sort_surroundings(bank, clip, kind)


def _sort_surroundings(bank: Bank, clip: Clip, kind: str) -> None:
    if clip.source == "music":
        bank.music.append(clip)
    elif kind == "noise":
        bank.noise.append(clip)
    elif clip.source == "room response":
        bank.rooms.append(clip)


def _sort_synthetic(bank: Bank, row: dict[str, str], folder: Path) -> None:
    held = any(voice in row["speaker"] for voice in TEST_VOICES)
    clip = _load(
        folder, row["file"], KEPT_OUT if held else ANY_FOLD, row["speaker"], row["text"], "tts"
    )
    word = row["note"].removeprefix("word: ")
    if row["subset"] == "synthetic word":
        bank.words[word].append(clip)
    elif row["subset"].startswith("synthetic phrase"):
        bank.phrases[word].append(clip)
    elif not WORD_IN.search(row["text"]):
        _sort_unsaid(bank, clip)


def _sort_voice(bank: Bank, row: dict[str, str], folder: Path) -> None:
    from training.voices import HELD_OUT

    if not (folder / row["file"]).exists():
        return
    speaker = row["voice"] if ":" in row["voice"] else f"kokoro:{row['voice']}"
    held = speaker in {*TEST_VOICES, *(f"kokoro:{name}" for name in HELD_OUT)}
    fold = KEPT_OUT if held else ANY_FOLD
    clip = _load(folder, row["file"], fold, speaker, row["text"], "tts")
    if row["kind"] == "word":
        bank.words[row["word"]].append(clip)
    elif row["kind"] == "phrase":
        # "stop it" does not end in the word: such a phrase is neither for it nor against it.
        if row["text"].endswith({"start": "massage"}.get(row["word"], row["word"])):
            bank.phrases[row["word"]].append(clip)
    elif row["kind"] == "prompt":
        bank.prompts.append(clip)
    elif row["kind"] in MORE:
        getattr(bank, MORE[row["kind"]]).append(clip)
    elif not WORD_IN.search(row["text"]):
        _sort_unsaid(bank, clip)


def _sort_unsaid(bank: Bank, clip: Clip) -> None:
    (bank.near if len(clip.word.split()) < LEAST_IN_A_SENTENCE else bank.sentences).append(clip)


def _load(folder: Path, name: str, fold: int, speaker: str, word: str, source: str) -> Clip:
    sound, rate = soundfile.read(folder / name, dtype="float32")
    if rate != 16_000:
        raise ValueError(f"{folder / name}: {rate} Hz; 16000 is needed")
    return Clip(sound, fold, speaker, word, source, name)


def _dealt(clips: list[Clip]) -> list[Clip]:
    """Surroundings dealt round-robin, so that each fold has some of the few there are."""
    ordered = sorted(clips, key=lambda clip: (not is_small(clip), clip.name))
    return [
        Clip(clip.sound, number % FOLDS, clip.speaker, clip.word, clip.source, clip.name)
        for number, clip in enumerate(ordered)
    ]


def is_small(clip: Clip) -> bool:
    """A room of a house, not a cathedral."""
    return any(part in clip.name for part in _SMALL_ROOMS)
