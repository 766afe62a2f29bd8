"""Lives through many hours of a living room as fast as it can, and prints whether anything wears.

    python bench/soak.py [--hours 8] [--heard 2] [--seed 0]

Two sessions an hour with people who answer, interrupt, fall silent and stop, and a fault every ten
minutes of them; the real session, conductor, journal and simulated massager. `--heard` scenarios an
hour are played in the virtual room besides, with sound: real canceller, ears and voice, music and
echo. Ends with 1 when a halt was missed, a lease was given outside a massage, or something grew.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.build import make_session, simulated
from assistant.diary import JournalDiary
from assistant.journal import Journal
from assistant.massager.simulated import SimulatedMassager
from assistant.rehearsal import Rehearsal
from assistant.room.building import read_play
from assistant.settings import Settings, load
from assistant.simulate import Wanted, play
from assistant.state import MASSAGE, State
from assistant.wall_clock import Moment
from audio.messages import Ear, Fault, Heard, Level, Recovered
from intents.intent import Intent

SCENARIOS = Path(__file__).resolve().parents[1] / "tests" / "scenarios"
HEARD = (
    "stop_over_music",
    "microphone_lost",
    "stop_while_holding",
    "audio_process_dies",
    "dizzy_while_doing",
    "microphone_muted",
    "stop_during_a_prompt",
    "device_silent",
)
WARMING = ("audio_process_dies", "stop_over_music", "microphone_lost")
ROUTINES = ("neck-massager", "hands-on")
FAULT_EVERY_SECONDS = 150.0
"""Of a session: two sessions an hour bring about six, one every ten minutes of the day."""
ALLOWED = frozenset(state.value for state in MASSAGE)
WARM_HOURS = 0.5
MOST_GROWTH = 0.02
PATIENCE_SECONDS = 4000.0
WORDS = (
    Intent.STRONGER,
    Intent.SOFTER,
    Intent.PAUSE,
    Intent.CONTINUE,
    Intent.HOLD,
    Intent.TIME_LEFT,
    Intent.REPEAT,
    Intent.LOUDER,
    Intent.CONTINUE,
)
FAULTS = (
    "microphone_lost",
    "audio_process_died",
    "loudspeaker_lost",
    "device_silent",
    "voice_failed",
)


@dataclass
class Found:
    """What the hours brought."""

    sessions: int = 0
    heard: int = 0
    faults: int = 0
    halts: int = 0
    missed: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    decisions: list[list[float]] = field(default_factory=list)
    sizes: list[tuple[float, int, int, int]] = field(default_factory=list)
    """Hours lived; memory in KiB, open files, threads then."""


def look(found: Found, hours: float) -> None:
    """Weigh the process."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    memory = int(status.partition("VmRSS:")[2].split()[0])
    files = len(os.listdir("/proc/self/fd"))
    found.sizes.append((hours, memory, files, threading.active_count()))


class Evening:
    """One session, by text: a person, a device, faults, and an eye on both."""

    def __init__(
        self, settings: Settings, journal: Journal, rng: random.Random, found: Found
    ) -> None:
        self._rng, self._found = rng, found
        device = SimulatedMassager(lambda: 0.0).capabilities
        self._rehearsal = Rehearsal(make_session(settings, device), simulated)
        self._diary = JournalDiary(journal, Moment.now)

    def _look(self) -> None:
        """Write down what was told since the last look, and see that no lease is out of place."""
        rehearsal = self._rehearsal
        state = "idle"
        for line in rehearsal.lines:
            if line["kind"] == "state":
                state = line["to"]
            if line["kind"] == "massager" and line["on"] and state not in ALLOWED:
                self._found.outside.append(f"a lease in {state} at {line['at']}")
            self._diary.record(line)

    def live(self, routine: str) -> None:
        """From the first word to the end."""
        rehearsal, rng = self._rehearsal, self._rng
        self._diary.begin(routine)
        rehearsal.begin(routine)
        rehearsal.run_until(State.DOING, PATIENCE_SECONDS)
        fault_at = rehearsal.now + rng.uniform(0.0, FAULT_EVERY_SECONDS)
        stop_at = rehearsal.now + rng.uniform(5.0, 600.0)
        while rehearsal.conductor.ended is None and rehearsal.now < PATIENCE_SECONDS:
            rehearsal.run_for(rng.uniform(1.0, 40.0))
            if rehearsal.now >= fault_at:
                self._break(rng.choice(FAULTS))
                fault_at += FAULT_EVERY_SECONDS
            elif rehearsal.now >= stop_at:
                self._stop()
                stop_at += rng.uniform(60.0, 600.0)
            else:
                rehearsal.say(rng.choice(WORDS))
        rehearsal.run_for(30.0)
        self._is_off("after the end")
        self._look()

    def _break(self, what: str) -> None:
        self._found.faults += 1
        rehearsal = self._rehearsal
        rehearsal.tell(Fault(what))
        self._is_off(f"after {what}")
        rehearsal.run_for(self._rng.uniform(0.0, 20.0))
        rehearsal.tell(Recovered(what))
        rehearsal.say(Intent.CONTINUE)

    def _stop(self) -> None:
        rehearsal = self._rehearsal
        heard = Heard(Level.CONFIRMED, Intent.STOP, "stop", Ear.ALARM, rehearsal.now)
        began = time.perf_counter()
        rehearsal.tell(heard)
        self._found.decisions[-1].append(time.perf_counter() - began)
        self._found.halts += 1
        self._is_off("after stop")
        rehearsal.run_for(self._rng.uniform(2.5, 10.0))
        rehearsal.say(Intent.CONTINUE)

    def _is_off(self, when: str) -> None:
        massager = self._rehearsal.massager
        if isinstance(massager, SimulatedMassager) and massager.on:
            self._found.missed.append(f"on {when}")


def hear(name: str, seed: int, found: Found) -> None:
    """Play one scenario with sound; what it expects and does not get is a missed halt."""
    chosen = read_play(SCENARIOS / f"{name}.toml")
    outcome = play(chosen, Wanted(), seed, title=name)
    found.heard += 1
    found.missed += [f"{name}: {verdict}" for verdict in outcome.verdicts if not verdict.held]


def heard_in(half: int, an_hour: int) -> list[str]:
    """What is played with sound in this half hour; in the first one, all that takes memory once."""
    if half == 0:
        return [*WARMING] if an_hour else []
    count = an_hour * (half + 1) // 2 - an_hour * half // 2
    return [HEARD[(half + number) % len(HEARD)] for number in range(count)]


def soak(hours: float, heard: int, seed: int, progress: Callable[[str], None]) -> Found:
    """Live through it all."""
    found, rng, settings = Found(), random.Random(seed), load(personal=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder, "journal.sqlite3")) as journal,
    ):
        for half in range(round(2 * hours)):
            if half % 2 == 0:
                found.decisions.append([])
            for name in heard_in(half, heard):
                hear(name, seed + half, found)
            Evening(settings, journal, rng, found).live(ROUTINES[half % len(ROUTINES)])
            found.sessions += 1
            look(found, (half + 1) / 2)
            progress(f"{(half + 1) / 2:g} h")
    return found


def told(found: Found) -> bool:
    """Print what came of it; whether all of it is well."""
    warm = next((size for size in found.sizes if size[0] >= WARM_HOURS), found.sizes[-1])
    last = found.sizes[-1]
    peak = max(size[1] for size in found.sizes if size[0] >= WARM_HOURS)
    growth = last[1] / warm[1] - 1.0
    print(f"lived: {last[0]:g} h, {found.sessions} sessions, {found.heard} with sound besides")
    print(f"faults: {found.faults}, halts: {found.halts}")
    print(f"halts missed: {len(found.missed)}, leases outside a massage: {len(found.outside)}")
    for line in [*found.missed, *found.outside]:
        print(f"  {line}")
    print(f"memory after {warm[0]:g} h: {warm[1] / 1024:.1f} MiB, highest {peak / 1024:.1f} MiB")
    print(f"memory at the end: {last[1] / 1024:.1f} MiB ({growth:+.1%})")
    print(f"open files: {warm[2]} -> {last[2]}, threads: {warm[3]} -> {last[3]}")
    first, final = (median_ms(times) for times in (found.decisions[0], found.decisions[-1]))
    print(f"decision to halt, carried out, median: {first:.2f} ms in the first hour,")
    print(f"  {final:.2f} ms in the last")
    steady = growth <= MOST_GROWTH and last[2] <= warm[2] and last[3] <= warm[3]
    return steady and not found.missed and not found.outside


def median_ms(seconds: Sequence[float]) -> float:
    """Median in milliseconds; nothing measured is nothing."""
    return 1000.0 * statistics.median(seconds) if seconds else 0.0


def main() -> int:
    """Soak and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--heard", type=int, default=2, help="scenarios with sound, each hour")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    terminal = sys.stderr.isatty()

    def progress(text: str) -> None:
        if terminal:
            sys.stderr.write(f"\r{text} ")

    return 0 if told(soak(chosen.hours, chosen.heard, chosen.seed, progress)) else 1


if __name__ == "__main__":
    sys.exit(main())
