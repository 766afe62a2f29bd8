"""The ears that bench/hearing.py measures: ours, the peer's "stop", and what both add up to.

It must never judge by a rule of its own: suspect and confirmed are what the spotter makes of clues.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audio.alarm_ear import AlarmEar
from audio.errors import NotFit
from audio.pipeline import SoundEar
from audio.second_ear import SecondEar
from audio.sound import BLOCK, RATE, Samples
from intents.intent import Intent
from intents.spotter import Clue, Spotter

PEER = Path(__file__).resolve().parents[2] / "shared" / "peers" / "stop.tflite"
PEER_BAR = 0.5
"""The cutoff that its authors ship it with; it has no second one."""
ALARM, PEER_NAME, FUSED = "alarm", "peer", "fused"
LEVELS = ("suspect", "confirmed")


@dataclass
class Outcome:
    """What was made of one stream: seconds at which it was suspected (or more), and confirmed."""

    suspect: list[float] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)
    clues: list[Clue] = field(default_factory=list)

    def at(self, level: str) -> list[float]:
        """The times of one of LEVELS."""
        return self.suspect if level == "suspect" else self.confirmed


@dataclass
class Meter:
    """Processor time that an ear took, for how much sound."""

    spent: float = 0.0
    heard: float = 0.0

    def share(self) -> float:
        """Of one core."""
        return self.spent / max(self.heard, 1e-9)


class Listeners:
    """Every ear there is, once over each stream."""

    def __init__(self, peer: Path = PEER) -> None:
        self.ears: dict[str, SoundEar] = {ALARM: AlarmEar()}
        try:
            self.ears[PEER_NAME] = SecondEar(peer)
        except NotFit as error:
            print(f"peer: skipped, {error}")
        self.meters = {name: Meter() for name in self.ears}

    @property
    def names(self) -> tuple[str, ...]:
        """The ears, and the fusion where there are two."""
        return (ALARM, PEER_NAME, FUSED) if PEER_NAME in self.ears else (ALARM,)

    def listen(self, blocks: Sequence[Samples], intent: Intent) -> dict[str, Outcome]:
        """What each makes of the stream, with regard to one word."""
        clues = {name: self._clues(name, blocks) for name in self.ears}
        made = {ALARM: weighed(clues[ALARM], intent)}
        if PEER_NAME in clues:
            sure = [clue.at for clue in clues[PEER_NAME] if clue.score > PEER_BAR]
            made[PEER_NAME] = Outcome(sure, sure, clues[PEER_NAME])
            both = sorted([*clues[ALARM], *clues[PEER_NAME]], key=lambda clue: clue.at)
            made[FUSED] = weighed(both, intent)
        return made

    def _clues(self, name: str, blocks: Sequence[Samples]) -> list[Clue]:
        ear, meter = self.ears[name], self.meters[name]
        ear.reset()
        began = time.process_time()
        clues = [clue for block in blocks for clue in ear.hear(block)]
        meter.spent += time.process_time() - began
        meter.heard += len(blocks) * BLOCK / RATE
        return clues


def weighed(clues: Iterable[Clue], intent: Intent) -> Outcome:
    """Through a spotter from a fresh state, as in the pipeline."""
    spotter, outcome = Spotter(), Outcome()
    for clue in clues:
        for verdict in spotter.hear(clue):
            if verdict.intent is intent:
                outcome.suspect.append(verdict.at)
                if verdict.level == "confirmed":
                    outcome.confirmed.append(verdict.at)
        if clue.intent is intent:
            outcome.clues.append(clue)
    return outcome


def over(outcome: Outcome, bar: float) -> list[float]:
    """Times at which the score alone is at the bar."""
    return [clue.at for clue in outcome.clues if clue.score >= bar]
