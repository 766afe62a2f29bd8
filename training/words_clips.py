"""Reads the clips of the word ear's words, and cuts utterances out of sound as a session does.

It must never put one speaker into two folds, nor cut otherwise than `audio.cutter`.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from audio.cutter import Cutter
from audio.sound import BLOCK, RATE, Samples
from training import clips
from training.clips import ANY_FOLD, KEPT_OUT, Clip
from training.voices import SENTENCES
from training.words_list import SAID, SOUND_ALIKES
from training.words_voices import JUDGES


@dataclass(frozen=True)
class Words:
    """Clips by word; `other` are single words that are none of ours."""

    real: dict[str, list[Clip]]
    spoken: dict[str, list[Clip]]
    other: list[Clip]
    alike: list[Clip]


@dataclass(frozen=True)
class Cut:
    """An utterance and where in its scene it lies, in samples."""

    sound: Samples
    begin: int
    end: int


def read_words(folders: list[Path], voices: list[Path]) -> Words:
    """People's words from folders with a manifest.csv, and what training.words_voices made."""
    words = Words(defaultdict(list), defaultdict(list), [], [])
    for folder in folders:
        with (folder / "manifest.csv").open(newline="") as manifest:
            for row in csv.DictReader(manifest):
                _sort_in(words, row, folder)
    for folder in voices:
        with (folder / "index.csv").open(newline="") as index:
            for row in csv.DictReader(index):
                _sort_voice(words, row, folder)
    return words


def _sort_in(words: Words, row: dict[str, str], folder: Path) -> None:
    text, kind = row["text"].lower().strip(), row["kind"]
    single = kind == "positive" or row["subset"] == "isolated non-command word"
    if row["subset"] == "synthetic word" and text in SAID:
        held = any(voice in row["speaker"] for voice in clips.TEST_VOICES)
        words.spoken[text].append(_clip(folder, row["file"], KEPT_OUT if held else ANY_FOLD, row))
    elif single:
        clip = _clip(folder, row["file"], clips.fold_of(row["speaker"] or row["file"]), row)
        (words.real[text] if text in SAID else words.other).append(clip)


def _clip(folder: Path, name: str, fold: int, row: dict[str, str]) -> Clip:
    sound, _ = soundfile.read(folder / name, dtype="float32")
    text = row["text"].lower().strip()
    return Clip(sound, fold, row["speaker"] or name, text, row.get("note", ""), name)


def _sort_voice(words: Words, row: dict[str, str], folder: Path) -> None:
    if not (folder / row["file"]).exists():
        return
    sound, _ = soundfile.read(folder / row["file"], dtype="float32")
    if len(sound) < RATE // 10 or np.abs(sound).max() < 0.01:
        return
    fold = KEPT_OUT if row["voice"] in JUDGES else ANY_FOLD
    clip = Clip(sound, fold, row["voice"], row["text"], "tts", row["file"])
    if row["text"] in SAID:
        words.spoken[row["text"]].append(clip)
    elif fold == ANY_FOLD and clip.word in (*SOUND_ALIKES, *SENTENCES):
        words.alike.append(clip)


def cuts(sound: Samples) -> Iterator[Cut]:
    """What a live session's cutter makes of cleaned sound."""
    cutter = Cutter()
    for end in range(BLOCK, len(sound) + 1, BLOCK):
        whole = cutter.hear(sound[end - BLOCK : end])
        if whole is not None:
            yield Cut(whole, end - len(whole), end)
