"""Prints how well the ears hear, and draws docs/hearing.svg: `python bench/hearing.py [FOLDER]`.

FOLDER holds manifest.csv and recordings (default: ../shared/audio beside the project). All is
measured through the canceller and the spotter of a live session. It must never judge by a rule of
its own: suspect and confirmed are what the session would be told.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hearing_costs
import numpy as np
from hearing_ears import ALARM, FUSED, LEVELS, Listeners, Outcome, over
from hearing_figures import EARLY_SECONDS, Recall, halts, recall
from hearing_picture import Points, picture

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hearing_streams import CONDITIONS, OWN_VOICE, Stream, Streams, cleaned  # noqa: E402

from audio.sound import RATE  # noqa: E402
from intents.intent import Intent  # noqa: E402
from intents.spotter import BARS  # noqa: E402

SHARED = ROOT.parent / "shared"
WORDS = {
    "dizzy": Intent.DIZZY,
    "tingling": Intent.TINGLING,
    "pause": Intent.PAUSE,
    "start": Intent.START,
}
LEVELS_DB = (-50, -40, -30, -20, -10)
CURVE_FROM = 0.25

Made = list[tuple[float, Outcome]]
"""The end of each word, and what an ear made of it."""


class Bench:
    """One folder, all ears."""

    def __init__(self, streams: Streams, listeners: Listeners) -> None:
        self._streams = streams
        self._listeners = listeners

    def run(self) -> dict[str, Points]:
        """Everything, printed as it is known; gives back what the picture draws."""
        said = self.stop_recall()
        wrong, hours = self.false_halts()
        self.other_words()
        self.again()
        self.levels()
        for name, meter in self._listeners.meters.items():
            print(f"{name}: {meter.share():.4f} of a core per second of sound of all kinds")
        return curves(said, wrong, hours)

    def stop_recall(self) -> dict[str, Made]:
        """Table by condition; gives back what each ear made of all but our own voice."""
        print("stop: recall % (95 %), delay p50/p95 ms after the word's end")
        kept: dict[str, Made] = {name: [] for name in self._listeners.names}
        for condition in (*CONDITIONS, OWN_VOICE):
            own = condition == OWN_VOICE
            streams = self._streams
            made = self._heard(
                streams.over_own_voice() if own else streams.word("stop", condition), Intent.STOP
            )
            for name, outcomes in made.items():
                told(condition, name, outcomes)
                kept[name] += [] if own else outcomes
        return kept

    def false_halts(self) -> tuple[dict[str, list[Outcome]], float]:
        """Talk, noise and music in which nobody says the word."""
        print("\nfalse halts: suspect, confirmed")
        kept: dict[str, list[Outcome]] = {}
        hours = 0.0
        for kind, sounds in self._streams.without_words().items():
            seconds = sum(map(len, sounds)) / RATE
            made = [self._listeners.listen(cleaned(sound), Intent.STOP) for sound in sounds]
            for name in self._listeners.names:
                outcomes = [each[name] for each in made]
                counts = [sum(halts(o.at(level)) for o in outcomes) for level in LEVELS]
                rates = ", ".join(f"{count * 3600 / seconds:.1f}/h ({count})" for count in counts)
                print(f"  {name:6s} {kind} {seconds / 60:.1f} min: {rates}", flush=True)
                if kind == "talk":
                    kept[name], hours = outcomes, seconds / 3600
        return kept, hours

    def other_words(self) -> None:
        """The other words, by voices that training never heard."""
        print("\nother words, synthetic voices kept out of training")
        for word, intent in WORDS.items():
            for condition in CONDITIONS:
                if made := self._heard(self._streams.word(word, condition), intent)[ALARM]:
                    told(f"{word} {condition}", ALARM, made)

    def again(self) -> None:
        """The same clip twice, 0.8 s apart: confirmed at the second at the latest."""
        print("\nstop, said twice 0.8 s apart: confirmed")
        for condition in CONDITIONS:
            made = self._heard(self._streams.word("stop", condition, times=2), Intent.STOP)
            for name, outcomes in made.items():
                hits = sum(
                    any(at > end - EARLY_SECONDS for at in o.confirmed) for end, o in outcomes
                )
                print(
                    f"  {condition:10s} {name:6s} {Recall(hits, len(outcomes)).share()}", flush=True
                )

    def levels(self) -> None:
        """Clean words as loud as a whisper far away and as a shout."""
        print("\nstop clean by level: suspect / confirmed %")
        for level_db in LEVELS_DB:
            made = self._heard(self._streams.at_level(level_db), Intent.STOP)
            for name, outcomes in made.items():
                shares = [f"{judged(outcomes, level).percent:.1f}" for level in LEVELS]
                print(f"  {level_db} dBFS {name:6s} {' / '.join(shares)}", flush=True)

    def _heard(self, streams: Sequence[Stream], intent: Intent) -> dict[str, Made]:
        """What each ear made of every stream."""
        made: dict[str, Made] = {name: [] for name in self._listeners.names}
        for end, blocks in streams:
            for name, outcome in self._listeners.listen(blocks, intent).items():
                made[name].append((end, outcome))
        return made


def judged(made: Made, level: str) -> Recall:
    """Recall at one of LEVELS."""
    return recall((end, outcome.at(level)) for end, outcome in made)


def told(condition: str, name: str, made: Made) -> None:
    """Print one row for each level."""
    for level in LEVELS:
        print(f"  {condition:16s} {name:6s} {level:9s} {judged(made, level).text()}", flush=True)


def curves(
    said: dict[str, Made], wrong: dict[str, list[Outcome]], hours: float
) -> dict[str, Points]:
    """False halts an hour and recall over all conditions: points for the levels, and lines for any
    bar of the alarm ear, alone and with the peer's vote."""

    def point(name: str, times: Callable[[Outcome], list[float]]) -> tuple[float, float]:
        rate = sum(halts(times(outcome)) for outcome in wrong[name]) / hours
        return rate, recall((end, times(outcome)) for end, outcome in said[name]).percent

    drawn: dict[str, Points] = {
        f"{name} {level}": [point(name, lambda o, level=level: o.at(level))]  # type: ignore[misc]
        for name in said
        for level in LEVELS
    }
    for name in (ALARM, FUSED):
        if name in said:
            drawn[f"{name}, any bar"] = [
                point(name, lambda o, bar=bar: over(o, bar))  # type: ignore[misc]
                for bar in np.linspace(CURVE_FROM, 0.995, 30)
            ]
    return drawn


def main() -> int:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED / "audio")
    parser.add_argument("--every", type=int, default=1, help="use each n-th clip only")
    parser.add_argument("--svg", type=Path, default=ROOT / "docs" / "hearing.svg")
    options = parser.parse_args()
    if not (options.folder / "manifest.csv").exists():
        print(f"hearing: skipped, {options.folder}/manifest.csv is missing")
        return 0
    voices = SHARED / "train"
    print(f"{options.folder}; bars {BARS['alarm'].low} and {BARS['alarm'].high}")
    print("The shipped weights know the people of the project's own development folder: for people")
    print("they never met see the table of python -m training in audio/weights/MODEL_CARD.md.\n")
    streams = Streams(options.folder, [voices] if voices.exists() else [], options.every)
    drawn = Bench(streams, Listeners()).run()
    options.svg.parent.mkdir(exist_ok=True)
    options.svg.write_text(picture(drawn))
    print()
    return hearing_costs.main([])


if __name__ == "__main__":
    sys.exit(main())
