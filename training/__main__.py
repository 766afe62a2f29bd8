"""Makes the alarm ear's weights: `python -m training`; prints the table of its model card.

Needs the `training` extra, two folders with a manifest.csv, and the voices that `make train` lets
speak. Seeded. What a run has finished stays in the work folder, so that one that was interrupted
goes on. It must never judge weights on people that they were trained on: three committees are each
trained without a third of the people and judged on that third; all of their members ship.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any

from audio.alarm_network import Network

try:
    from training import (
        calibration,
        clips,
        committee,
        enrolment,
        export,
        judging,
        material,
        report,
        rows,
    )
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is not installed: `make train` sets up what training needs")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SETS = "phrases", "plain", "commands", "prompts", "sentences", "music", "actors"
VOICES = [ROOT / "build" / "voices" / name for name in SETS]
"""What training.voices, .sentences, .music and .actors made; their order is a part of the seed."""


def main() -> int:
    """Clips, scenes, rows, members, calibration, table, weights."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--audio", type=Path, default=SHARED / "audio")
    parser.add_argument("--train", type=Path, default=SHARED / "train")
    parser.add_argument("--voices", type=Path, nargs="*", default=VOICES)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "training")
    parser.add_argument("--scenes", type=int, default=2600)
    parser.add_argument("--seed", type=int, default=2, help="of the scenes")
    options = parser.parse_args()
    for folder in (options.audio, options.train):
        if not (folder / "manifest.csv").exists():
            print(f"{folder}/manifest.csv: missing; name the folder with --audio, --train")
            return 2
    options.work.mkdir(parents=True, exist_ok=True)
    judged_on = _prepared(options)
    ship(committee.members(options.work), judged_on)
    return 0


def ship(members: dict[int, list[Any]], judged_on: list[material.Stream]) -> None:
    """Judge, calibrate, print, write the weights and their hash."""
    apart = {fold: export.arrays(pair, ONES, ZEROS) for fold, pair in members.items()}
    networks = {fold: Network(weights) for fold, weights in apart.items()}
    judged = judging.judge_all(judged_on, judging.network_judge(networks))
    looks = judging.Looks()
    scale, offset = calibration.of_all_words(judged, looks)
    fixed = [looks(judging.Judged(item.stream, item.odds * scale + offset)) for item in judged]
    for word in clips.WORDS:
        report.print_table("people and voices never met", fixed, word)
    report.print_twice(fixed)
    enrolment.print_table(judged_on, networks, looks, scale[0], offset[0])
    path = ROOT / "audio" / "weights" / "alarm.npz"
    everyone = list(committee.everyone(members))
    digest = export.write(path, export.arrays(everyone, scale, offset))
    source = ROOT / "audio" / "alarm_network.py"
    text = re.sub(r'(WEIGHTS_SHA256: Final = )"[^"]*"', rf'\1"{digest}"', source.read_text())
    source.write_text(text)
    print(f"{path}: {path.stat().st_size} bytes, sha256 {digest}")


ONES = [1.0] * len(clips.WORDS)
ZEROS = [0.0] * len(clips.WORDS)


def _prepared(options: argparse.Namespace) -> list[material.Stream]:
    """What is judged, and the rows to train on; from the work folder where they are there."""
    judged, trained = options.work / "judged.npz", options.work / "rows.npz"
    began = time.monotonic()
    if not (judged.exists() and trained.exists()):
        bank = clips.read([options.audio, options.train], options.voices)
        if not trained.exists():
            rows.save(rows.make(bank, options.scenes, options.seed), trained)
        if not judged.exists():
            material.save(material.make(bank), judged)
    print(f"recordings prepared, {time.monotonic() - began:.0f} s", flush=True)
    return material.load(judged)


if __name__ == "__main__":
    sys.exit(main())
