"""Prints how well the ears hear, and draws docs/hearing.svg: `python bench/hearing.py [FOLDER]`.

FOLDER holds manifest.csv and recordings (default: ../shared/audio beside the project). All is
measured through the pipeline of a live session, canceller and noise suppressor included. It must
never judge by a rule of its own: suspect and confirmed are what the session would be told.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from audio.alarm_ear import AlarmEar  # noqa: E402
from audio.echo import EchoCanceller  # noqa: E402
from audio.sound import BLOCK, RATE, Samples  # noqa: E402
from intents.intent import Intent  # noqa: E402
from intents.spotter import BARS, Clue, Spotter  # noqa: E402
from training import clips, trials  # noqa: E402

SHARED = ROOT.parent / "shared"
PEER = SHARED / "peers" / "stop.json"
WORDS = {
    "stop": Intent.STOP,
    "dizzy": Intent.DIZZY,
    "tingling": Intent.TINGLING,
    "pause": Intent.PAUSE,
    "start": Intent.START,
}
CONDITIONS = tuple(trials.CONDITIONS)
EARLY_SECONDS, LATE_SECONDS = 0.3, 1.5
"""A word counts as heard from just before its end to this long after it."""
APART_SECONDS = 2.0
"""Firings closer than this are one false halt."""


@dataclass
class Outcome:
    """What one ear made of one stream: seconds at which it was suspicious (or more), and sure."""

    suspect: list[float] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)
    clues: list[Clue] = field(default_factory=list)


@dataclass
class Meter:
    """Processor time that an ear took, for how much sound."""

    spent: float = 0.0
    heard: float = 0.0

    def share(self) -> float:
        """Of one core."""
        return self.spent / max(self.heard, 1e-9)


Ear = Callable[[list[Samples], Intent], Outcome]


def alarm(meter: Meter) -> Ear:
    """The alarm ear and the spotter, as in the pipeline."""
    ear = AlarmEar()

    def listen(blocks: list[Samples], intent: Intent) -> Outcome:
        ear.reset()
        spotter, outcome = Spotter(), Outcome()
        began = time.process_time()
        clues = [clue for block in blocks for clue in ear.hear(block)]
        meter.spent += time.process_time() - began
        meter.heard += len(blocks) * BLOCK / RATE
        for clue in clues:
            for verdict in spotter.hear(clue):
                if verdict.intent is intent:
                    outcome.suspect.append(verdict.at)
                    if verdict.level == "confirmed":
                        outcome.confirmed.append(verdict.at)
        outcome.clues = [clue for clue in clues if clue.intent is intent]
        return outcome

    return listen


def peer(meter: Meter) -> Ear | None:
    """microWakeWord's "stop", when it is there; it knows no other word and no second level."""
    try:
        from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures
    except ImportError:
        print("peer: skipped, pip install pymicro-wakeword to compare")
        return None
    if not PEER.exists():
        print(f"peer: skipped, {PEER} is missing")
        return None

    # One stream for everything: begun anew it fires at its own beginning.
    net, features = MicroWakeWord.from_config(PEER), MicroWakeWordFeatures()

    def listen(blocks: list[Samples], _: Intent) -> Outcome:
        outcome, began = Outcome(), time.process_time()
        for number, block in enumerate(blocks):
            for half in (block[:160], block[160:]):
                for feature in features.process_streaming(half.tobytes()):
                    if net.process_streaming(feature):
                        outcome.suspect.append((number + 1) * BLOCK / RATE)
        meter.spent += time.process_time() - began
        meter.heard += len(blocks) * BLOCK / RATE
        outcome.confirmed = outcome.suspect
        return outcome

    return listen


def cleaned(sound: Samples, played: Samples | None = None) -> list[Samples]:
    """Through the canceller; as blocks."""
    canceller = EchoCanceller()
    whole = np.concatenate([sound, np.zeros(-len(sound) % BLOCK, np.int16)]).reshape(-1, BLOCK)
    silent = np.zeros(BLOCK, np.int16)
    if played is None:
        return [canceller.clean(block, silent) for block in whole]
    beside = np.resize(played, whole.size).reshape(-1, BLOCK)
    return [canceller.clean(block, ref) for block, ref in zip(whole, beside, strict=True)]


@dataclass(frozen=True)
class Heard:
    """How often a word was heard, of how many, and after how many milliseconds."""

    hits: int
    of: int
    delays: tuple[float, ...]

    def text(self) -> str:
        """Recall with its 95 % interval, delay p50/p95."""
        low, high = wilson(self.hits, self.of)
        percent = f"{100 * self.hits / max(1, self.of):5.1f} ({100 * low:.0f}-{100 * high:.0f})"
        if not self.delays:
            return f"{percent}    -"
        middle, late = np.percentile(self.delays, (50, 95))
        return f"{percent} {middle:4.0f}/{late:4.0f}"


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, hits / of
    width = z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    middle, scale = share + z * z / (2 * of), 1 + z * z / of
    return float((middle - width) / scale), float((middle + width) / scale)


def judged(outcomes: list[tuple[float, list[float]]]) -> Heard:
    """From the ends of the words and the times of firing."""
    delays = []
    for end, times in outcomes:
        good = [at for at in times if end - EARLY_SECONDS < at <= end + LATE_SECONDS]
        delays += [1000 * (good[0] - end)] if good else []
    return Heard(len(delays), len(outcomes), tuple(delays))


def halts(times: list[float]) -> int:
    """Firings, those close together counted once."""
    count, last = 0, -APART_SECONDS - 1
    for at in times:
        count += at - last > APART_SECONDS
        last = at
    return count


class Bench:
    """One folder, all ears."""

    def __init__(self, folder: Path, voices: list[Path], every: int) -> None:
        self.bank = clips.read([folder])
        self.spoken = clips.read(voices)
        self.every = every
        """Only each n-th clip is used."""
        self.meters: dict[str, Meter] = {"alarm": Meter(), "peer": Meter()}
        began = time.perf_counter()
        self.ears: dict[str, Ear] = {"alarm": alarm(self.meters["alarm"])}
        self.start_seconds = time.perf_counter() - began
        second = peer(self.meters["peer"])
        if second is not None:
            self.ears["peer"] = second
        self.curves: dict[str, list[tuple[float, float]]] = {}

    def run(self) -> None:
        """Everything, printed as it is known."""
        said = self.stop_recall()
        wrong, hours = self.false_halts()
        self.other_words()
        self.again()
        self.levels()
        self.cost()
        self.curves = curves(said, wrong, hours)

    def streams(self, word: str, condition: str, **more: Any) -> list[tuple[float, list[Samples]]]:
        """The word's end in seconds and the cleaned sound, for every clip."""
        bank = self.bank if word == "stop" else joined(self.spoken, self.bank)
        listed = trials.trials(bank, word, condition, apart=False, every=self.every, **more)
        return [(trial.end / RATE, cleaned(trial.sound)) for trial in listed]

    def stop_recall(self) -> dict[str, list[tuple[float, Outcome]]]:
        """Table by condition; gives back what the alarm ear made of each."""
        print("stop: recall % (95 %), delay p50/p95 ms after the word's end")
        kept: dict[str, list[tuple[float, Outcome]]] = {}
        for condition in (*CONDITIONS, "own voice"):
            own = condition == "own voice"
            streams = self.over_own_voice() if own else self.streams("stop", condition)
            for name, ear in self.ears.items():
                made = [(end, ear(blocks, Intent.STOP)) for end, blocks in streams]
                self._print(condition, name, made)
                if not own:
                    kept.setdefault(name, []).extend(made)
        return kept

    def over_own_voice(self) -> list[tuple[float, list[Samples]]]:
        """The word over prompts as loud as itself, after two seconds of prompts alone."""
        rng = np.random.default_rng(5)
        prompts = [clip for clip in self.bank.talk if clip.source == "telephone prompts"]
        made = []
        for clip in self.bank.words["stop"][:: self.every] if prompts else []:
            word, end = trials.stream(clip.sound, "clean", {}, rng)
            parts = [prompts[int(i)].sound for i in rng.integers(0, len(prompts), 4)]
            whole = np.resize(np.concatenate(parts), len(word) + 2 * RATE)
            played = (whole / np.abs(whole).max() * 16000).astype(np.int16)
            room = self.bank.rooms[int(rng.integers(len(self.bank.rooms)))].sound
            echo = trials.convolved(played, room / np.abs(room).max())[: len(played)]
            echo *= trials.LEVEL * 32767 / np.sqrt(np.mean(echo**2))
            heard = echo + np.concatenate([np.zeros(2 * RATE), word])
            pcm = np.clip(heard, -32767, 32767).astype(np.int16)
            made.append((2 + end / RATE, cleaned(pcm, played)))
        return made

    def false_halts(self) -> tuple[dict[str, list[Outcome]], float]:
        """Talk, noise and music in which nobody says the word."""
        print("\nfalse halts: suspect, confirmed")
        kept: dict[str, list[Outcome]] = {}
        talk = trials.talk(self.bank)[:: self.every]
        alone = trials.surroundings_alone(self.bank)[:: self.every]
        hours = sum(len(item.sound) for item in talk) / RATE / 3600
        for name, ear in self.ears.items():
            made = [ear(cleaned(item.sound), Intent.STOP) for item in talk]
            kept[name] = made
            suspect, sure = (
                sum(halts(getattr(m, k)) for m in made) for k in ("suspect", "confirmed")
            )
            print(
                f"  {name:6s} talk {hours * 60:.1f} min: {suspect / hours:.1f}/h ({suspect}), "
                f"{sure / hours:.1f}/h ({sure})"
            )
            for kind in ("noise", "music"):
                sounds = [item.sound for item in alone if item.kind == kind]
                minutes = sum(map(len, sounds)) / RATE / 60
                made = [ear(cleaned(sound), Intent.STOP) for sound in sounds]
                counts = [sum(halts(getattr(m, k)) for m in made) for k in ("suspect", "confirmed")]
                print(f"  {name:6s} {kind} alone {minutes:.1f} min: {counts[0]}, {counts[1]}")
        return kept, hours

    def other_words(self) -> None:
        """The other words, by voices that training never heard."""
        print("\nother words, synthetic voices kept out of training")
        for word in ("dizzy", "tingling", "pause", "start"):
            for condition in CONDITIONS:
                made = [
                    (end, self.ears["alarm"](blocks, WORDS[word]))
                    for end, blocks in self.streams(word, condition)
                ]
                if made:
                    self._print(f"{word} {condition}", "alarm", made)

    def again(self) -> None:
        """The same clip twice, 0.8 s apart: heard at the second at the latest."""
        print("\nstop, said twice 0.8 s apart")
        for condition in CONDITIONS:
            streams = self.streams("stop", condition, times=2)
            for name in self.ears:
                hits = 0
                for end, blocks in streams:
                    made = self.ears[name](blocks, Intent.STOP)
                    hits += any(at > end - EARLY_SECONDS for at in made.confirmed)
                share = 100 * hits / max(1, len(streams))
                print(f"  {condition:10s} {name:6s} confirmed {share:5.1f}", flush=True)

    def levels(self) -> None:
        """Clean words as loud as a whisper far away and as a shout."""
        print("\nstop clean by level, alarm suspect/confirmed")
        streams = trials.trials(self.bank, "stop", "clean", apart=False, every=2 * self.every)
        for level in (-50, -40, -30, -20, -10):
            gain = 10 ** (level / 20) / trials.LEVEL
            hits = [0, 0]
            for trial in streams:
                loud = np.clip(trial.sound * gain, -32767, 32767).astype(np.int16)
                made = self.ears["alarm"](cleaned(loud), Intent.STOP)
                for place, times in enumerate((made.suspect, made.confirmed)):
                    hits[place] += judged([(trial.end / RATE, times)]).hits
            shares = [f"{100 * count / max(1, len(streams)):.1f}" for count in hits]
            print(f"  {level} dBFS  {' / '.join(shares)}")

    def cost(self) -> None:
        """Processor time, memory, time to start."""
        print()
        for name in self.ears:
            print(f"{name}: {self.meters[name].share():.4f} of a core per second of sound")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"memory at most {memory:.0f} MB (recordings of this bench included)")
        print(f"alarm ear listens {self.start_seconds:.2f} s after it is asked for")

    def _print(self, condition: str, name: str, made: list[tuple[float, Outcome]]) -> None:
        for level in ("suspect", "confirmed"):
            heard = judged([(end, getattr(outcome, level)) for end, outcome in made])
            print(f"  {condition:16s} {name:6s} {level:9s} {heard.text()}", flush=True)


def joined(spoken: clips.Bank, around: clips.Bank) -> clips.Bank:
    """The words of one bank in the surroundings of the other."""
    return clips.Bank(
        words=spoken.words,
        talk=around.talk,
        noise=around.noise,
        music=around.music,
        rooms=around.rooms,
    )


def curves(
    said: dict[str, list[tuple[float, Outcome]]], wrong: dict[str, list[Outcome]], hours: float
) -> dict[str, list[tuple[float, float]]]:
    """False halts an hour and recall over all conditions, for the picture."""
    drawn: dict[str, list[tuple[float, float]]] = {}
    for name, made in said.items():
        for level in ("suspect", "confirmed"):
            recall = judged([(end, getattr(o, level)) for end, o in made])
            rate = sum(halts(getattr(o, level)) for o in wrong[name]) / hours
            drawn[f"{name} {level}"] = [(rate, 100 * recall.hits / max(1, recall.of))]
    for bar in np.linspace(CURVE_FROM, 0.995, 30):
        recall = judged([(end, over(o, bar)) for end, o in said["alarm"]])
        rate = sum(halts(over(o, bar)) for o in wrong["alarm"]) / hours
        point = (rate, 100 * recall.hits / max(1, recall.of))
        drawn.setdefault("alarm, any bar", []).append(point)
    return drawn


CURVE_FROM = 0.25


def over(outcome: Outcome, bar: float) -> list[float]:
    """Times at which the score alone is at the bar."""
    return [clue.at for clue in outcome.clues if clue.score >= bar]


def picture(drawn: dict[str, list[tuple[float, float]]]) -> str:
    """Recall (all conditions together) against false halts an hour, as SVG."""
    width, height, left, top = 640, 400, 60, 20
    most = max([10.0, *(x for points in drawn.values() for x, _ in points)])

    def place(rate: float, recall: float) -> tuple[float, float]:
        x = left + (width - left - 20) * np.log1p(rate) / np.log1p(most)
        return round(float(x), 1), round(top + (height - top - 50) * (100 - recall) / 100, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for recall in range(0, 101, 20):
        x, y = place(0, recall)
        parts.append(f'<path d="M{x} {y}H{width - 20}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{recall} %</text>')
    for rate in (0, 1, 5, 15, 60, 120):
        if rate <= most:
            x, y = place(rate, 0)
            parts.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{rate}</text>')
    caption = (
        "false halts an hour of talk; recall of “stop” over five conditions "
        "(on people whom the alarm ear was trained on, except with your own FOLDER)"
    )
    parts.append(f'<text x="{left}" y="{height - 8}">{caption}</text>')
    for (name, points), colour in zip(drawn.items(), COLOURS, strict=False):
        where = [place(*point) for point in points]
        if len(where) > 1:
            path = " ".join(f"{x},{y}" for x, y in where)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        x, y = where[len(where) // 2]
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8}" y="{y + 14}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


COLOURS = ("#0b6e4f", "#08415c", "#b5651d", "#8b1e3f", "#777")


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
    bench = Bench(options.folder, [voices] if voices.exists() else [], options.every)
    bench.run()
    options.svg.parent.mkdir(exist_ok=True)
    options.svg.write_text(picture(bench.curves))
    return 0


if __name__ == "__main__":
    sys.exit(main())
