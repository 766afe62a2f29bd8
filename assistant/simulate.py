"""`unknot simulate` and `unknot demo`: plays a scenario, judges it, and tells, records or draws it.

It must never print anything but event lines on the stdout that carries them.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console

from assistant.diary import JournalDiary
from assistant.journal import Journal
from assistant.room.building import Outlets, Play, build_room, read_play
from assistant.room.expectations import Log, Verdict, judge
from assistant.room.narrator import Narrator, conclusion
from assistant.room.picture import draw
from assistant.room.recording import recording, unwritable
from assistant.room.scenario import Scenario
from assistant.wall_clock import Moment

Line = dict[str, Any]
DEMO_SPEED = 4.0
"""The demo is told this many times as fast as it would happen."""
WALL_START = 1_790_000_000.0
"""Wall time at which every scenario begins, in seconds since 1970; only the journal sees it."""
CLOCK_JUMP_SECONDS = 3600.0


@dataclass(frozen=True)
class Wanted:
    """What is to be kept of a session; None is nothing. `events` may be "-" for stdout."""

    events: str | None = None
    record: Path | None = None
    picture: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """A session that was played, and what came of its expectations."""

    log: Log
    verdicts: list[Verdict]

    @property
    def good(self) -> bool:
        """Every expectation held."""
        return all(verdict.held for verdict in self.verdicts)


def simulate(path: Path, wanted: Wanted, seed: int) -> int:
    """Play a scenario file and judge it; 0 if every expectation held, 1 otherwise.

    Raises ScenarioError (exit code 2) for a bad file and UnknotError for what cannot be had.
    """
    outcome = play(read_play(path), wanted, seed, title=f"{path.stem.replace('_', ' ')}")
    for verdict in outcome.verdicts:
        mark = "held  " if verdict.held else "FAILED"
        click.echo(f"{mark} {verdict}", err=True)
    return 0 if outcome.good else 1


def demo(wanted: Wanted, seed: int = 0, *, fast: bool = False) -> int:
    """Play the bundled scenario and tell it in the terminal, four times as fast as it happens.

    `fast` tells it as fast as it can be played; so does a stdout that is no terminal.
    """
    console = Console(highlight=False)
    paced = console.is_terminal and not fast
    with as_file(files("config")) as config:
        chosen = read_play(config / "demo.toml")
        console.print(_greeting(paced))
        pace = _Pace(DEMO_SPEED) if paced else None
        narrator = Narrator(console)

        def tell(line: Line) -> None:
            if pace is not None:
                pace.wait_for(line["at"])
            narrator.tell(line)

        outcome = play(chosen, wanted, seed, title="The demo", tell=tell)
    console.print(f"\n{conclusion(outcome.log)}")
    return 0 if outcome.good else 1


def _greeting(paced: bool) -> str:
    speed = f"{DEMO_SPEED:g} times as fast as it happens" if paced else "as fast as it can be"
    return (
        "A scripted person in a virtual room speaks to the real canceller, the real ears, the "
        f"real session and the real voice; only the massager is simulated. Told {speed}.\n"
        "Nobody wrote down what is heard: a word that is misheard here was misheard.\n"
    )


def play(
    chosen: Play,
    wanted: Wanted,
    seed: int,
    *,
    title: str,
    tell: Callable[[Line], None] = lambda _: None,
) -> Outcome:
    """Play a scenario from beginning to end; keep what is wanted and judge it."""
    scenario = chosen.scenario
    now = 0.0
    with ExitStack() as stack:
        events = stack.enter_context(_events(wanted.events))
        record = stack.enter_context(recording(wanted.record))
        journal = stack.enter_context(_journal())

        def publish(line: Line) -> None:
            nonlocal now
            now = line["at"]
            if events is not None:
                events.write(json.dumps(line) + "\n")
            tell(line)

        diary = JournalDiary(journal, lambda: _wall_time(scenario, now))
        room = build_room(chosen, seed, Outlets(publish, record, diary))
        log = room.run(scenario.seconds)
    if wanted.picture is not None:
        _write(wanted.picture, draw(log, title))
    return Outcome(log, judge(scenario.expect, log))


def _wall_time(scenario: Scenario, now: float) -> Moment:
    """The machine's own clock, which jumps where the scenario says so."""
    jumps = [f for f in scenario.room.fault if f.kind == "clock_jump" and f.at <= now]
    return Moment(WALL_START + now + CLOCK_JUMP_SECONDS * len(jumps), "simulated", now)


class _Pace:
    """Holds the telling back to `speed` times the time of the session."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()

    def wait_for(self, at: float) -> None:
        """Wait until session time `at` may be told."""
        time.sleep(max(0.0, self._began + at / self._speed - time.monotonic()))


@contextmanager
def _journal() -> Iterator[Journal]:
    """A journal of its own, so that a rehearsed session is never among the person's."""
    with (
        tempfile.TemporaryDirectory(prefix="unknot-") as folder,
        Journal(Path(folder) / "journal.sqlite3") as journal,
    ):
        yield journal


@contextmanager
def _events(target: str | None) -> Iterator[IO[str] | None]:
    if target is None:
        yield None
    elif target == "-":
        yield sys.stdout
    else:
        try:
            with Path(target).open("w", encoding="utf-8") as file:
                yield file
        except OSError as error:
            raise unwritable(Path(target), error) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
