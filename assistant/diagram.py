"""Draws the session's table as a mermaid diagram for the README; it must never add or drop a move.

`python -m assistant.diagram` prints it; a test compares it with the README.
"""

import sys

from assistant.state import EVERY, TABLE, State, Trigger

EVERYWHERE = (Trigger.HALT, Trigger.WARN, Trigger.ALARM, Trigger.REST, Trigger.CLOSE, Trigger.END)
"""Triggers with so many sources that one line from "any state" says it better."""
RESTS = (Trigger.PAUSE, Trigger.FAULT)
UNDER_WAY = "where_it_came_from"


def mermaid() -> str:
    """The diagram: top states as boxes, one arrow for each kind of move between two of them."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.IDLE.top}"]
    lines += [f"    {source} --> {dest}: {label}" for source, dest, label in _arrows()]
    return "\n".join(lines)


def _arrows() -> list[tuple[str, str, str]]:
    labels: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        if row.dest is None:
            continue
        dest = UNDER_WAY if row.trigger is Trigger.RESUME else row.dest.top
        for source in _tops(row.trigger, row.sources):
            names = labels.setdefault((source, dest), [])
            if row.trigger.value not in names and source != dest:
                names.append(row.trigger.value)
    return [(*ends, " / ".join(names)) for ends, names in labels.items() if names]


def _tops(trigger: Trigger, sources: tuple[State, ...]) -> list[str]:
    if trigger in EVERYWHERE:
        return ["any_state"]
    if trigger in RESTS and len(sources) > len(EVERY) // 3:
        return [UNDER_WAY]
    return list(dict.fromkeys(source.top for source in sources))


if __name__ == "__main__":
    sys.stdout.write(mermaid() + "\n")
