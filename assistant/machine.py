"""The state machine of `transitions`, made from the table; it must never hold a rule of its own."""

from collections.abc import Callable
from typing import Any

from transitions import Machine

from assistant.state import TABLE, State, Trigger


class Position:
    """The machine's model: private, so that nobody can move a session past its rules."""

    state: State


def machine(position: Position, came_from: Callable[[State | None], Any]) -> Machine:
    """Build the machine from the table; `came_from(state)` decides where RESUME leads."""
    rows: list[dict[str, Any]] = []
    for row in TABLE:
        entry: dict[str, Any] = {
            "trigger": row.trigger.value,
            "source": list(row.sources),
            "dest": row.dest,
        }
        if row.trigger is Trigger.RESUME:
            entry["conditions"] = [came_from(row.dest)]
        rows.append(entry)
    return Machine(
        position,
        states=State,
        transitions=rows,
        initial=State.IDLE,
        auto_transitions=False,
        queued=True,
    )


LEGAL = {(row.trigger, source): row.dest for row in TABLE for source in row.sources}
"""Whether a row exists; `None` as value is "stay"."""
