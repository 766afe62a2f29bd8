"""A session as a picture: who said what, what was heard, the states, the massager, and the off.

Draws what the log holds and nothing else; a moment that did not happen is not in the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.room.drawing import INK, LINE, MUTED, Axis, Drawing, fit, text_width
from assistant.room.expectations import Event, Log, off_after

WIDTH, LEFT, RIGHT = 1000.0, 92.0, 984.0
LANES = {"state": 58.0, "unknot": 92.0, "person": 122.0, "heard": 208.0, "massager": 240.0}
"""Top of each lane of the whole session, from the picture's top."""
LANES_END, CLOSE_UP, CLOSE_UP_HEIGHT = 316.0, 356.0, 208.0
LABEL_ROWS, LABEL_SIZE, LEVELS = 4, 11.5, 5
SHORTEST_LABEL = 80.0
"""A prompt's words are written where there is room for a few of them."""
STATE_FILL = {
    "massage": "#bfe3c6",
    "paused": "#fbe3a8",
    "halted": "#f6b8b3",
    "hearing_check": "#d6cdf0",
    "ended": "#eceff2",
}
OTHER_STATE, VOICE, PERSON, ON, OFF = "#cfe0f1", "#8fb3d9", "#3d4a58", "#57a86b", "#c0392b"
LEVEL_FILL = {"suspect": "#e39a1b", "confirmed": OFF, "final": "#2f6fb0"}


@dataclass(frozen=True)
class _Stretch:
    start: float
    end: float
    label: str


def draw(log: Log, title: str) -> str:
    """Draw a session as SVG, 1000 units wide, for a light page."""
    end = max([e["at"] for e in log.events] + [e["end"] for e in log.of("person")] + [1.0])
    word = decisive_word(log)
    height = CLOSE_UP + CLOSE_UP_HEIGHT if word else LANES_END + 34.0
    drawing, axis = Drawing(WIDTH, height, title), Axis(0.0, end, LEFT, RIGHT)
    drawing.text(16, 28, title, size=16, bold=True)
    _ticks(drawing, axis, 48.0, LANES_END)
    for name, top in LANES.items():
        drawing.text(LEFT - 10, top + 15, name, size=12, fill=MUTED, anchor="end")
    _states(drawing, axis, log)
    _voice(drawing, axis, log, LANES["unknot"])
    _person(drawing, axis, log)
    _heard(drawing, axis, log)
    _device(drawing, axis, log, LANES["massager"], 60.0)
    if word:
        _close_up(drawing, log, word)
    return drawing.svg()


def decisive_word(log: Log) -> Event | None:
    """Find the person's latest word that ended with the massager going from on to off."""
    for word in reversed(log.of("person")):
        before = [moment for moment in log.device if moment.at <= word["start"]]
        seconds = off_after(log, word)
        if before and before[-1].on and seconds is not None and seconds < 3.0:
            return word
    return None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _ticks(drawing: Drawing, axis: Axis, top: float, bottom: float) -> None:
    for seconds in axis.ticks():
        drawing.line(axis.x(seconds), top, axis.x(seconds), bottom)
        label = _clock(seconds)
        drawing.text(axis.x(seconds), bottom + 15, label, size=11, fill=MUTED, anchor="middle")


def state_stretches(log: Log, end: float) -> Iterator[tuple[str, float, float]]:
    """Yield top states with their beginning and end; inner states are joined."""
    name, since = "idle", 0.0
    for event in log.of("state"):
        top = str(event["to"]).partition(".")[0]
        if top != name:
            if event["at"] > since:
                yield name, since, event["at"]
            name, since = top, event["at"]
    if end > since:
        yield name, since, end


def _states(drawing: Drawing, axis: Axis, log: Log) -> None:
    top = LANES["state"]
    for name, start, end in state_stretches(log, axis.end):
        x, width = axis.x(start), axis.x(end) - axis.x(start)
        drawing.box(x, top, width - 1, 22, STATE_FILL.get(name, OTHER_STATE), round_by=2)
        label = fit(name.replace("_", " "), width - 8, 11)
        drawing.text(x + 5, top + 15, label, size=11)


def prompt_stretches(log: Log) -> Iterator[_Stretch]:
    """Yield each prompt from its first sound to its end, or to the hush that cut it."""
    speaking: Event | None = None
    for event in log.events:
        if speaking and event["kind"] in ("say", "say_end", "hush"):
            yield _Stretch(speaking["at"], event["at"], speaking["text"])
            speaking = None
        if event["kind"] == "say":
            speaking = event
    if speaking:
        yield _Stretch(speaking["at"], log.events[-1]["at"], speaking["text"])


def _voice(drawing: Drawing, axis: Axis, log: Log, top: float) -> None:
    for prompt in prompt_stretches(log):
        if axis.shows(prompt.start, prompt.end):
            x, width = axis.x(prompt.start), axis.x(prompt.end) - axis.x(prompt.start)
            drawing.box(x, top, width, 18, VOICE, round_by=2)
            if width >= SHORTEST_LABEL:
                drawing.text(x + 4, top + 13, fit(prompt.label, width - 8, 11), size=11)


def _person(drawing: Drawing, axis: Axis, log: Log) -> None:
    top, taken = LANES["person"], [LEFT - 4.0] * LABEL_ROWS
    for word in log.of("person"):
        x, label = axis.x(word["start"]), f"“{word['text']}”"
        row = next((n for n in range(LABEL_ROWS) if taken[n] <= x), None)
        drawing.box(x, top, axis.x(word["end"]) - x, 18, PERSON, round_by=2)
        if row is None:
            continue
        y = top + 33 + row * 15
        drawing.line(x, top + 18, x, y, LINE)
        width = text_width(label, LABEL_SIZE)
        drawing.text(min(x + 3, RIGHT - width), y, label, size=LABEL_SIZE, halo=True)
        taken[row] = x + width + 8


def _heard(drawing: Drawing, axis: Axis, log: Log) -> None:
    top = LANES["heard"] + 11
    for event in log.of("heard"):
        if event["level"] in LEVEL_FILL and event["intent"]:
            drawing.dot(axis.x(event["at"]), top, 4, LEVEL_FILL[event["level"]])
    for number, (name, fill) in enumerate(LEVEL_FILL.items()):
        x = RIGHT - 230 + number * 82
        drawing.dot(x, 24, 4, fill)
        drawing.text(x + 9, 28, name, size=11, fill=MUTED)


def _device(drawing: Drawing, axis: Axis, log: Log, top: float, height: float) -> None:
    """Draw what the device did (filled), the leases it was given (ticks), and the holds."""
    bottom = top + height
    drawing.line(axis.left, bottom, axis.right, bottom, MUTED)
    ends = [moment.at for moment in log.device[1:]] + [axis.end]
    for moment, until in zip(log.device, ends, strict=bool(log.device)):
        if moment.on and axis.shows(moment.at, until):
            tall = height * (0.35 + 0.65 * min(moment.level, LEVELS) / LEVELS)
            x, width = axis.x(moment.at), axis.x(until) - axis.x(moment.at)
            drawing.box(x, bottom - tall, width, tall, ON)
            label = fit(f"level {moment.level}", width - 8, 11)
            drawing.text(x + 4, bottom - 6, label, size=11, fill="#ffffff")
    for lease in log.of("massager"):
        if lease["on"] and axis.shows(lease["at"], lease["at"]):
            drawing.line(axis.x(lease["at"]), bottom, axis.x(lease["at"]), bottom + 4, MUTED)
    _holds(drawing, axis, log, top)


def _holds(drawing: Drawing, axis: Axis, log: Log, top: float) -> None:
    holding: Event | None = None
    for event in log.of("state"):
        if event["to"] == "massage.holding":
            holding = holding or event
        elif holding:
            x, end = axis.x(holding["at"]), axis.x(event["at"])
            if axis.shows(holding["at"], event["at"]):
                drawing.box(x, top - 4, end - x, 4, LEVEL_FILL["suspect"])
                drawing.text(x, top - 8, fit("hold", end - x, 11) or "", size=11, fill=MUTED)
            holding = None


def _close_up(drawing: Drawing, log: Log, word: Event) -> None:
    """Draw the seconds around the word that switched the massager off."""
    delay = off_after(log, word) or 0.0
    off_at = word["end"] + delay
    axis = Axis(word["start"] - 1.2, max(off_at, word["end"]) + 2.2, LEFT, RIGHT)
    top = CLOSE_UP
    heading = f"“{word['text']}” at {_clock(word['start'])}: the massager was off {_delay(delay)}"
    drawing.text(16, top + 14, heading, size=14, bold=True)
    lanes = {"person": top + 34, "heard": top + 62, "unknot": top + 94, "massager": top + 122}
    for name, y in lanes.items():
        drawing.text(LEFT - 10, y + 14, name, size=12, fill=MUTED, anchor="end")
    _seconds(drawing, axis, word, top + 28, top + 176)
    x = axis.x(word["start"])
    drawing.box(x, lanes["person"], axis.x(word["end"]) - x, 20, PERSON, round_by=2)
    drawing.text(axis.x(word["end"]) + 6, lanes["person"] + 15, f"“{word['text']}”", size=12)
    _close_heard(drawing, axis, log, lanes["heard"])
    _voice(drawing, axis, log, lanes["unknot"])
    _device(drawing, axis, log, lanes["massager"], 44.0)
    drawing.line(axis.x(off_at), lanes["person"], axis.x(off_at), lanes["massager"] + 44, OFF)
    drawing.text(
        axis.x(off_at) + 6, lanes["massager"] + 28, "off", size=12, fill=OFF, bold=True, halo=True
    )


def _delay(seconds: float) -> str:
    if seconds < 0:
        return f"{-seconds:.2f} s before the word was over"
    return f"{seconds:.2f} s after the word"


def _seconds(drawing: Drawing, axis: Axis, word: Event, top: float, bottom: float) -> None:
    around = Axis(axis.start - word["end"], axis.end - word["end"], LEFT, RIGHT)
    for seconds in around.ticks():
        x = around.x(seconds)
        drawing.line(x, top, x, bottom, INK if seconds == 0 else LINE)
        drawing.text(
            x,
            bottom + 16,
            f"{seconds:+g} s" if seconds else "0 s",
            size=11,
            fill=MUTED,
            anchor="middle",
        )


def _close_heard(drawing: Drawing, axis: Axis, log: Log, top: float) -> None:
    row = 0
    for event in _inside(log.of("heard"), axis):
        if event["level"] not in LEVEL_FILL or not event["intent"]:
            continue
        x, label = axis.x(event["at"]), f"{event['level']} ({event.get('ear', '')})"
        drawing.dot(x, top + 10, 4.5, LEVEL_FILL[event["level"]])
        if row < 2:
            drawing.text(x + 8, top + 7 + 14 * row, label, size=11, fill=MUTED, halo=True)
        row += 1


def _inside(events: list[Event], axis: Axis) -> Iterator[Any]:
    return (event for event in events if axis.shows(event["at"], event["at"]))
