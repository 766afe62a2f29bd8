"""Makes the alarm ear's weights: `python -m training`; prints the table of its model card.

Needs the `training` extra (jax, scipy) and two folders with a manifest.csv. Seeded; about an hour
on one core. It must never judge weights on people that they were trained on: each of three pairs
of networks is trained without a third of the people and judged on that third; all six ship.
"""

import argparse
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

from training import clips, export, material, network, report, rows

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def main() -> int:
    """Clips, scenes, rows, three networks, calibration, table, weights."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--audio", type=Path, default=SHARED / "audio")
    parser.add_argument("--train", type=Path, default=SHARED / "train")
    parser.add_argument("--voices", type=Path, help="what python -m training.voices made")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "training")
    parser.add_argument("--scenes", type=int, default=1350)
    parser.add_argument("--steps", type=int, default=network.Recipe.steps)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for folder in (options.audio, options.train):
        if not (folder / "manifest.csv").exists():
            print(f"{folder}/manifest.csv: missing; name the folder with --audio, --train")
            return 2
    options.work.mkdir(parents=True, exist_ok=True)
    judged_on, data = _prepared(options)
    tuned = network.Recipe(steps=options.steps, seed=options.seed)
    plain = replace(tuned, top_rate=0.0, noise=0.4)
    members: dict[int, list[network.Params]] = {}
    for fold in range(clips.FOLDS):
        print(f"networks without the people of fold {fold}", flush=True)
        others = set(range(clips.FOLDS)) - {fold}
        members[fold] = [
            {**network.train(data, others, tuned), "share": 2.0},
            {**network.train(data, others, plain), "packaged": True},
        ]
    ship(members, judged_on)
    return 0


def ship(members: dict[int, list[network.Params]], judged_on: list[material.Stream]) -> None:
    """Judge, calibrate, print, write the weights and their hash."""
    apart = {fold: export.arrays(pair, ONES, ZEROS) for fold, pair in members.items()}
    judged = report.judge_all(judged_on, report.network_judge(apart))
    scale, offset = report.calibration(judged)
    fixed = [report.Judged(item.stream, item.odds * scale + offset) for item in judged]
    for word in clips.WORDS:
        report.print_table("people and voices never met", fixed, word)
    path = ROOT / "audio" / "weights" / "alarm.npz"
    everyone = [pair[kind] for kind in (0, 1) for pair in members.values()]
    digest = export.write(path, export.arrays(everyone, scale, offset))
    source = ROOT / "audio" / "alarm_network.py"
    text = re.sub(r'(WEIGHTS_SHA256: Final = )"[^"]*"', rf'\1"{digest}"', source.read_text())
    source.write_text(text)
    print(f"{path}: {path.stat().st_size} bytes, sha256 {digest}")


ONES = [1.0] * len(clips.WORDS)
ZEROS = [0.0] * len(clips.WORDS)


def _prepared(options: argparse.Namespace) -> tuple[list[material.Stream], rows.Rows]:
    """From the work folder where an earlier run left them, else made now."""
    judged, trained = options.work / "judged.npz", options.work / "rows.npz"
    began = time.monotonic()
    if not (judged.exists() and trained.exists()):
        bank = clips.read([options.audio, options.train], options.voices)
        material.save(material.make(bank), judged)
        rows.save(rows.make(bank, options.scenes, options.seed), trained)
    print(f"recordings prepared, {time.monotonic() - began:.0f} s", flush=True)
    return material.load(judged), rows.load([trained])


if __name__ == "__main__":
    sys.exit(main())
