"""Makes the word ear's weights: `python -m training.words`; prints the table of its model card.

Needs the `training` extra (jax, scipy), two folders with a manifest.csv, and what
training.words_voices spoke (--voices; more than one may be named). Seeded. It must never judge
weights on people that they were trained on: three pairs of networks are each trained without a
third of the people and judged on that third; all six ship together.
"""

import argparse
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from audio.words_network import WordsNetwork, trunk_rows
from training import clips, export, words_judge
from training.words_clips import Words, read_words
from training.words_list import CLASSES
from training.words_material import Maker, Utterance
from training.words_train import Params, Recipe, Rows, train

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
LAYERS = ("near", "look", "middle", "out")
RECIPES = (Recipe(steps=1200, batch=64, top_rate=0.2), Recipe(noise=0.4))
"""One with upper layers of its own, one on the packaged: together they are better than either."""


def main() -> int:
    """Utterances, networks, table, weights."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    bank = clips.read([options.audio, options.train])
    words = read_words([options.audio, options.train], options.voices)
    path = options.work / f"words_{options.seed}.npz"
    if not path.exists():
        save(make(bank, words, options.scenes, options.seed), path)
    if options.only_utterances:
        return 0
    data = load([path, *options.more])
    made = [
        (fold, _member(data, fold, replace(recipe, seed=options.seed + fold)))
        for recipe in RECIPES
        for fold in range(clips.FOLDS)
    ]
    weights = arrays(made)
    print("people never met")
    print_table(bank, words, {fold: WordsNetwork(weights, fold) for fold in range(clips.FOLDS)})
    print("all members together, which know these people: no judgement of them")
    print_table(bank, words, dict.fromkeys(range(clips.FOLDS), WordsNetwork(weights)))
    ship(weights)
    return 0


def _member(data: Rows, fold: int, recipe: Recipe) -> Params:
    print(f"a network without the people of fold {fold}", flush=True)
    others = set(range(clips.FOLDS)) - {fold}
    return {**train(data, others, recipe, len(CLASSES)), "packaged": recipe.top_rate == 0}


def make(bank: clips.Bank, words: Words, count: int, seed: int) -> list[Utterance]:
    """The utterances of `count` scenes, dealt to the folds in turn."""
    began, made = time.monotonic(), list[Utterance]()
    makers = [Maker(bank, words, fold) for fold in range(clips.FOLDS)]
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        made += makers[number % clips.FOLDS].utterances(rng)
    print(f"{len(made)} utterances, {time.monotonic() - began:.0f} s", flush=True)
    return made


def save(made: list[Utterance], path: Path) -> None:
    """As an npz."""
    np.savez(
        path,
        rows=np.concatenate([item.rows for item in made]),
        starts=np.cumsum([0, *(len(item.rows) for item in made)]),
        numbers=np.array([item.number for item in made]),
        folds=np.array([item.fold for item in made]),
    )


def load(paths: list[Path]) -> Rows:
    """Several files as one."""
    parts = [np.load(path) for path in paths]
    starts, base = [np.zeros(1, np.int64)], 0
    for part in parts:
        starts.append(part["starts"][1:] + base)
        base += int(part["starts"][-1])
    return Rows(
        np.concatenate([part["rows"] for part in parts]),
        np.concatenate(starts),
        np.concatenate([part["numbers"] for part in parts]),
        np.concatenate([part["folds"] for part in parts]),
    )


def arrays(members: list[tuple[int, Params]]) -> dict[str, np.ndarray]:
    """The contents of a weights file; each member with the fold that it never met."""
    never_met = [fold for fold, _ in members]
    out = {"words": np.array(CLASSES), "never_met": np.array(never_met, np.int8)}
    for number, (_, member) in enumerate(members):
        out |= export.whole(number, member, LAYERS)
    return out


def print_table(bank: clips.Bank, words: Words, networks: Mapping[int, WordsNetwork]) -> None:
    """How many words are right, by what may be chosen, each person's by the fold's network."""
    for condition in words_judge.CONDITIONS:
        trials = list(words_judge.make(bank, words, (condition,)))
        judged = [
            None
            if trial.held is None
            else networks[trial.fold].judge(trunk_rows(trial.cuts[trial.held]))
            for trial in trials
        ]
        print(words_judge.row(condition, trials, judged), flush=True)


def ship(weights: dict[str, np.ndarray]) -> None:
    """Write the weights and their hash."""
    path = ROOT / "audio" / "weights" / "words.npz"
    digest = export.write(path, weights)
    source = ROOT / "audio" / "words_network.py"
    text = re.sub(r'(WEIGHTS_SHA256: Final = )"[^"]*"', rf'\1"{digest}"', source.read_text())
    source.write_text(text)
    print(f"{path}: {path.stat().st_size} bytes, sha256 {digest}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.words", description=__doc__)
    parser.add_argument("--audio", type=Path, default=SHARED / "audio")
    parser.add_argument("--train", type=Path, default=SHARED / "train")
    parser.add_argument("--voices", type=Path, nargs="+", required=True)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "training")
    parser.add_argument("--scenes", type=int, default=2700)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-utterances", action="store_true", help="train later")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="earlier utterances")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
