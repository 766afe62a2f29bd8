"""Makes the weights of the ear for answers: `python -m training.answers`; prints its table.

A small network on the packaged embedding tells the words of answers from one another, an utterance
at a time. Words that people recorded are judged in folds by person; it must never be judged on a
fold that it was trained on.
"""

import argparse
import re
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from audio.cutter import Cutter
from audio.embedding import Floats
from audio.prompted_ear import LAYERS, LOOKS, OTHER, looks
from audio.sound import BLOCK, Samples
from training import clips, export, scenes, trials
from training.clips import ANY_FOLD, FOLDS, Bank, Clip
from training.plain_voices import WORDS as ANSWERS

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CLASSES = (OTHER, *ANSWERS)
RATE = 16_000
EACH, OTHERS = 30, 1500
"""Utterances of each word and fold's share of other sounds in training."""
ONLY = {
    "35 and more": CLASSES[1:],
    "13": ("yes", "no", "stop", *ANSWERS[4:14]),
    "yes no stop": ("yes", "no", "stop"),
}


@dataclass(frozen=True)
class Seen:
    """What the network sees (n, LOOKS x 96), the classes (n,), the folds (n,)."""

    looks: Floats
    classes: NDArray[np.int64]
    folds: NDArray[np.int64]


def main() -> int:
    """Utterances, three networks judged on the people they never met, one for all that ships."""
    parser = argparse.ArgumentParser(prog="python -m training.answers", description=__doc__)
    parser.add_argument("--audio", type=Path, default=SHARED / "audio")
    parser.add_argument("--train", type=Path, default=SHARED / "train")
    parser.add_argument("--plain", type=Path, required=True, help="from training.plain_voices")
    parser.add_argument("--each", type=int, default=EACH)
    options = parser.parse_args()
    began = time.monotonic()
    bank = clips.read([options.audio, options.train])
    words = by_word(bank, options.plain)
    seen = utterances(bank, words, options.each)
    print(f"{len(seen.classes)} utterances, {time.monotonic() - began:.0f} s", flush=True)
    networks = {fold: train(seen, {0, 1, 2} - {fold}) for fold in range(FOLDS)}
    for condition in ("clean", "far", "noisy", "music"):
        print_row(condition, bank, words, networks)
    ship(train(seen, set(range(FOLDS))))
    return 0


def by_word(bank: Bank, plain: Path) -> dict[str, list[Clip]]:
    """Recorded and synthetic clips of each answer, and of other words."""
    words: dict[str, list[Clip]] = defaultdict(list)
    for clip in [*bank.other, *bank.words["stop"], *bank.words["pause"]]:
        words[clip.word if clip.word in ANSWERS else OTHER].append(clip)
    spoken = clips.Bank()
    clips.read_voices(spoken, plain)
    for word, listed in spoken.words.items():
        words[word] += listed
    return words


def utterances(bank: Bank, words: dict[str, list[Clip]], each: int) -> Seen:
    """Every class in every fold, with its own surroundings, as the cutter would cut it."""
    rng = np.random.default_rng(11)
    rows, classes, folds = [], [], []
    for fold in range(FOLDS):
        around = trials.surroundings(bank, fold)
        running = [clip for clip in bank.talk if clip.fold == fold] + [
            clip for clip in bank.near if clip.fold == ANY_FOLD
        ]
        for number, name in enumerate(CLASSES):
            real = [clip for clip in words[name] if clip.fold == fold]
            made = [clip for clip in words[name] if clip.fold == ANY_FOLD]
            for count in range(OTHERS // FOLDS if name == OTHER else each):
                pool = real if real and (not made or count % 4) else made
                pool = running if name == OTHER and count % 2 else pool
                clip = pool[int(rng.integers(len(pool)))].sound
                rows.append(looks(utterance(clip, around, rng)))
                classes.append(number)
                folds.append(fold)
    return Seen(np.array(rows), np.array(classes), np.array(folds))


def utterance(clip: Floats, around: dict[str, list[Clip]], rng: np.random.Generator) -> Samples:
    """A clip as if said in a room, from 0.3 s before it to some 0.36 s after it."""
    start, end = clips.active(clip)
    sound = clip[max(0, start - 1600) : end + 1600]
    if len(sound) > 2 * RATE:
        begin = int(rng.integers(0, len(sound) - RATE))
        sound = sound[begin : begin + int(rng.uniform(0.4, 1.6) * RATE)]
    sound = scenes.coloured(rng, scenes.warped(rng, sound, wide=rng.random() < 0.4))
    sound = sound / scenes.loudness(sound)
    if rng.random() < 0.7:
        rooms = around["rooms"]
        room = rooms[int(rng.integers(len(rooms)))].sound
        room = scenes.imagined_room(rng) if rng.random() < 0.5 else room / np.abs(room).max()
        sound = scenes.in_room(sound, room, 0, len(sound))
    lead, rest = int(1.3 * RATE), int(rng.uniform(0.2, 0.55) * RATE)
    track = np.concatenate([np.zeros(lead), sound, np.zeros(rest)]).astype(np.float32)
    kind = str(rng.choice(["clean", "noise", "music"], p=[0.3, 0.45, 0.25]))
    if kind != "clean":
        track += scenes.looped(rng, around[kind], len(track)) * scenes.gain(-rng.uniform(4, 26))
    track *= scenes.gain(rng.uniform(-44, -14))
    track += rng.normal(0, 10 ** rng.uniform(-4.6, -3.4), len(track)).astype(np.float32)
    return scenes.cleaned(scenes.pcm(track))[lead - int(rng.uniform(0.2, 0.5) * RATE) :]


def train(seen: Seen, folds: set[int], steps: int = 900) -> dict[str, Any]:
    """A network of three layers (AdamW, one cycle), noise on its input, dropout within."""
    use = np.flatnonzero(np.isin(seen.folds, sorted(folds)))
    rng = np.random.default_rng(0)
    mean, deviation = seen.looks[use].mean(0), seen.looks[use].std(0) + 1e-3
    scaled = ((seen.looks - mean) / deviation).astype(np.float32)
    sizes = (LOOKS * 96, 192, 96, len(CLASSES))
    params = {
        name: {
            "kernel": jnp.array(rng.normal(0, np.sqrt(2 / a), (a, b)), jnp.float32),
            "bias": jnp.zeros(b),
        }
        for name, a, b in zip(LAYERS, sizes[:-1], sizes[1:], strict=True)
    }
    first = second = jax.tree.map(jnp.zeros_like, params)

    def loss(params: Any, rows: Any, marks: Any, key: Any) -> Any:
        keys = jax.random.split(key, 3)
        values = rows + 0.35 * jax.random.normal(keys[0], rows.shape)
        for layer, drop in zip(LAYERS[:-1], keys[1:], strict=True):
            values = jax.nn.relu(values @ params[layer]["kernel"] + params[layer]["bias"])
            values = jnp.where(jax.random.bernoulli(drop, 0.7, values.shape), values / 0.7, 0)
        chance = jax.nn.log_softmax(values @ params["out"]["kernel"] + params["out"]["bias"])
        right = jnp.take_along_axis(chance, marks[:, None], 1)[:, 0]
        return -(0.95 * right + 0.05 * chance.mean(1)).mean()

    @jax.jit
    def step(params: Any, first: Any, second: Any, rows: Any, marks: Any, key: Any, n: Any) -> Any:
        slope = jax.grad(loss)(params, rows, marks, key)
        share = n / steps
        rate = 2e-3 * jnp.where(share < 0.2, share / 0.2, 0.5 + 0.5 * jnp.cos(jnp.pi * share))
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g * g, second, slope)
        moved = jax.tree.map(
            lambda p, m, v: p - rate * (m / (jnp.sqrt(v) + 1e-6) + 1e-2 * p), params, first, second
        )
        return moved, first, second

    keys = jax.random.split(jax.random.key(0), steps)
    for n in range(steps):
        chosen = rng.choice(use, 512)
        batch = scaled[chosen], seen.classes[chosen]
        params, first, second = step(params, first, second, *batch, keys[n], float(n))
    return {"mean": mean, "deviation": deviation, **jax.tree.map(np.asarray, params)}


def chosen(network: dict[str, Any], seen: Floats, allowed: tuple[str, ...]) -> str:
    """The likeliest allowed word."""
    values = (seen - network["mean"]) / network["deviation"]
    for name in LAYERS[:-1]:
        values = np.maximum(values @ network[name]["kernel"] + network[name]["bias"], 0)
    logits = values @ network["out"]["kernel"] + network["out"]["bias"]
    return max(allowed, key=lambda word: float(logits[CLASSES.index(word)]))


def print_row(
    condition: str, bank: Bank, words: dict[str, list[Clip]], networks: dict[int, dict[str, Any]]
) -> None:
    """Recorded words of people never met, cut out of their surroundings by the cutter."""
    rng = np.random.default_rng(7)
    right: dict[str, list[bool]] = defaultdict(list)
    for word in ANSWERS:
        for clip in words[word]:
            if clip.fold < 0:
                continue
            around = trials.surroundings(bank, clip.fold)
            sound, end = trials.stream(clip.sound, condition, around, rng)
            cut = _cut(scenes.cleaned(sound), end)
            seen = None if cut is None else looks(cut)
            for name, allowed in ONLY.items():
                if word in allowed:
                    said = None if seen is None else chosen(networks[clip.fold], seen, allowed)
                    right[name].append(said == word)
    cells = [f"{name}: {100 * np.mean(hits):.1f} ({len(hits)})" for name, hits in right.items()]
    print(f"  {condition:6s} right % (of)  {', '.join(cells)}", flush=True)


def _cut(sound: Samples, end: int) -> Samples | None:
    """The utterance that holds the word: the first to end after the word does."""
    cutter = Cutter()
    for at in range(0, len(sound) - BLOCK, BLOCK):
        whole = cutter.hear(sound[at : at + BLOCK])
        if whole is not None and at > end:
            return whole
    return None


def ship(network: dict[str, Any]) -> None:
    """Write the weights and their hash."""
    contents: dict[str, NDArray[np.generic]] = {
        "words": np.array(CLASSES),
        "mean": np.asarray(network["mean"], np.float32),
        "deviation": np.asarray(network["deviation"], np.float32),
    }
    for name in LAYERS:
        contents |= export.dense(name, network[name])
    path = ROOT / "audio" / "weights" / "answers.npz"
    digest = export.write(path, contents)
    source = ROOT / "audio" / "prompted_ear.py"
    text = re.sub(r'(WEIGHTS_SHA256: Final = )"[^"]*"', rf'\1"{digest}"', source.read_text())
    source.write_text(text)
    print(f"{path}: {path.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    sys.exit(main())
