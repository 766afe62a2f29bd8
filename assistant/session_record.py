"""One past session as its events tell it; it must never know how or where events are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.wall_clock import Moment

LOST = "lost"
"""Why a session ended that never said so: a power cut, a crash."""


@dataclass(frozen=True)
class SessionRecord:
    """What became of one session."""

    id: int
    routine: str
    began: Moment
    seconds: float
    """Session time of its last event, or of its last sign of life."""
    why: str | None
    """finished, stopped, halted, faulted, declined, unanswered, lost; None while without an end."""
    before: int | None
    """The rating before, 0 to 10."""
    after: int | None
    steps: tuple[str, ...]
    """The steps that began, in order."""
    advice: tuple[str, ...]
    """The ids of the advice that was given."""
    faults: tuple[str, ...]

    @property
    def started(self) -> float:
        """Seconds since 1970; for display only, a Pi without network has no clock."""
        return self.began.wall

    @property
    def ended_early(self) -> bool:
        """Anything but the routine's own end."""
        return self.why not in (None, "finished")


def record_of(
    number: int, routine: str, began: Moment, seen: float, events: Sequence[dict[str, Any]]
) -> SessionRecord:
    """The record of session `number` from its event lines, oldest first; it was alive at `seen`."""

    def values(kind: str, field: str, **wanted: str) -> list[Any]:
        chosen = [e for e in events if e["kind"] == kind and wanted.items() <= e.items()]
        return [event[field] for event in chosen if field in event]

    def last(found: list[Any]) -> Any:
        return found[-1] if found else None

    return SessionRecord(
        id=number,
        routine=routine,
        began=began,
        seconds=max([seen, *(event["at"] for event in events)]),
        why=last(values("end", "why")),
        before=last(values("rating", "value", when="before")),
        after=last(values("rating", "value", when="after")),
        steps=tuple(values("step", "name")),
        advice=tuple(values("advice", "id")),
        faults=tuple(values("fault", "what")),
    )
