"""Draws the ratings of past sessions as SVG; it must never make a change look larger than it is.

A row a session under its week, the newest first, so that a phone scrolls through the weeks; shapes
instead of colours, so that print keeps everything.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

from assistant.session_record import SessionRecord

MEANINGFUL_POINTS = 2
"""The smallest change that means something: 1.5 to 2.5 points in neck pain (docs/facts.md S16)."""
CHANCE_POINTS = 3
"""A smaller one can be chance in any single session: 2.6 points at least (docs/facts.md S16)."""
SOURCE = "Review of 0 to 10 scales in neck pain: ouci.dntb.gov.ua/en/works/4gn6YNq7"

_WIDTH, _LEFT, _POINT, _ROW, _WEEK, _HEAD = 360, 20, 32, 44, 32, 142
_LETTER = 7.2
"""About the width of a letter."""

_STYLE = (
    "svg{background:#fff;width:100%;max-width:960px;height:auto;display:block}"
    "text{font:13px sans-serif;fill:#222}.week,.mark{font-weight:bold}.source{font-size:10px}"
    ".scale{stroke:#ddd}.rule{stroke:#888}.small{stroke:#555;stroke-width:2;stroke-dasharray:2 4}"
    ".clear{stroke:#222;stroke-width:2}.sure{stroke:#222;stroke-width:6}"
    "circle{stroke:#222;stroke-width:2}.before{fill:#fff}.after{fill:#222}"
    "@media print{svg{width:13cm}g{break-inside:avoid}}"
)


def draw(sessions: Iterable[SessionRecord]) -> str:
    """The picture, for a screen 360 wide or more. Sessions without a rating keep their row."""
    newest_first = sorted(sessions, key=lambda session: session.started, reverse=True)
    rows, height = _weeks(newest_first)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            "<title>How tense it felt before and after each session, 0 to 10</title>",
            f"<style>{_STYLE}</style>",
            *_head(height),
            *(rows or [_text(_LEFT, _HEAD + 16, "No sessions yet.")]),
            "</svg>\n",
        ]
    )


def _weeks(sessions: list[SessionRecord]) -> tuple[list[str], int]:
    """A heading a week, a row a session, and where the last one ends."""
    parts, top = [], _HEAD
    for monday, of_week in groupby(sessions, _monday):
        parts.append(f'<path class="rule" d="M{_LEFT} {top + 6}H{_WIDTH - _LEFT}"/>')
        parts.append(_text(_LEFT, top + 22, f"Week of {monday}", "week"))
        top += _WEEK
        for session in of_week:
            parts.append(_row(session, top))
            top += _ROW
    return parts, max(top, _HEAD + _ROW)


def _monday(session: SessionRecord) -> str:
    day = _local(session)
    return f"{day - timedelta(days=day.weekday()):%Y-%m-%d}"


def _local(session: SessionRecord) -> datetime:
    return datetime.fromtimestamp(session.started).astimezone()


def _head(height: int) -> list[str]:
    """What the shapes mean, the measure of a change, and the scale behind the rows."""
    grid = [
        f'<path class="scale" d="M{_x(n)} {_HEAD - 8}V{height}"/>'
        f'<text x="{_x(n)}" y="{_HEAD - 14}" text-anchor="middle">{n}</text>'
        for n in range(11)
    ]
    lines = (
        ("small", 1, "1 point says nothing"),
        ("clear", MEANINGFUL_POINTS, f"{MEANINGFUL_POINTS} points: the least that matters"),
        ("sure", CHANCE_POINTS, f"{CHANCE_POINTS} or more: less can be chance"),
    )
    measure = [
        f'<path class="{kind}" d="M{_x(0)} {36 + 20 * n}H{_x(points)}"/>'
        + _text(_x(CHANCE_POINTS) + 10, 41 + 20 * n, words)
        for n, (kind, points, words) in enumerate(lines)
    ]
    return [
        _text(_LEFT, 18, "○ before  ● after  ◉ no change  ■ ended early  ▲ advice"),
        *measure,
        _text(_LEFT, 104, SOURCE, "source"),
        *grid,
    ]


def _row(session: SessionRecord, top: int) -> str:
    """One session: its date, routine and marks above the line from before to after."""
    day = f"{_local(session):%Y-%m-%d}"
    advice = ", ".join(dict.fromkeys(session.advice))
    told = f"{day} {session.routine}"
    marks = ""
    if session.ended_early:
        told += f" · {session.why}"
        marks += f" ■ {session.why}"
    if advice:
        told += f" · advice: {advice}"
        marks += f" ▲ {advice}"
    line = _text(_LEFT, top + 14, f"{day} {session.routine}", marks=marks)
    return f"<g><title>{escape(told)}</title>{line}{_ratings(session, top + 30)}</g>"


def _ratings(session: SessionRecord, y: int) -> str:
    before, after = session.before, session.after
    line = ""
    if before is not None and after is not None and before != after:
        line = f'<path class="{_kind(abs(before - after))}" d="M{_x(before)} {y}H{_x(after)}"/>'
    # The ring of "before" stays visible around an equal "after".
    return line + _circle("before", before, y, radius=8) + _circle("after", after, y, radius=4)


def _kind(points: int) -> str:
    """How a change is drawn: it says nothing, means something, or is more than chance."""
    if points < MEANINGFUL_POINTS:
        return "small"
    return "clear" if points < CHANCE_POINTS else "sure"


def _circle(kind: str, points: int | None, y: int, *, radius: int) -> str:
    if points is None:
        return ""
    return f'<circle class="{kind}" cx="{_x(points)}" cy="{y}" r="{radius}"/>'


def _x(points: int) -> int:
    return _LEFT + _POINT * points


def _text(x: int, y: int, text: str, kind: str = "", marks: str = "") -> str:
    """A line of text, squeezed where it would run off the screen; `marks` stand out behind it."""
    room = _WIDTH - x - 4
    letter = _LETTER * (10 / 13 if kind == "source" else 1.0)
    squeezed = f' textLength="{room}"' if len(text + marks) * letter > room else ""
    named = f' class="{kind}"' if kind else ""
    bold = f'<tspan class="mark">{escape(marks)}</tspan>' if marks else ""
    return (
        f'<text{named} x="{x}" y="{y}"{squeezed} lengthAdjust="spacingAndGlyphs">'
        f"{escape(text)}{bold}</text>"
    )
