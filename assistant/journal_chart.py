"""Draws the ratings of past sessions as SVG; it must never make a change look larger than it is.

A row a session, the newest first, so that a phone scrolls through the weeks; shapes instead of
colours, so that print keeps everything.
"""

from collections.abc import Iterable
from datetime import datetime
from html import escape

from assistant.session_record import SessionRecord

MEANINGFUL_POINTS = 2
"""The smallest change that means something: 1.5 to 2.5 points in neck pain (docs/facts.md S16)."""

_WIDTH, _LEFT, _POINT, _ROW, _HEAD = 360, 20, 32, 44, 96
_LETTER = 7.2
"""About the width of a letter."""

_STYLE = (
    "svg{background:#fff}text{font:13px sans-serif;fill:#222}.scale{stroke:#ddd}"
    ".small{stroke:#666;stroke-dasharray:2 4}.clear{stroke:#222;stroke-width:4}"
    "circle{stroke:#222;stroke-width:2}.before{fill:#fff}.after{fill:#222}"
)


def draw(sessions: Iterable[SessionRecord]) -> str:
    """The picture, for a screen 360 wide or more. Sessions without a rating keep their row."""
    newest_first = sorted(sessions, key=lambda session: session.started, reverse=True)
    height = _HEAD + _ROW * max(len(newest_first), 1)
    rows = [_row(session, _HEAD + _ROW * n) for n, session in enumerate(newest_first)]
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


def _head(height: int) -> list[str]:
    """What the shapes mean, the two-point measure, and the scale behind the rows."""
    grid = [
        f'<path class="scale" d="M{_x(n)} {_HEAD - 8}V{height}"/>'
        f'<text x="{_x(n)}" y="{_HEAD - 14}" text-anchor="middle">{n}</text>'
        for n in range(11)
    ]
    return [
        _text(_LEFT, 18, "○ before   ● after   ◉ no change"),
        f'<path class="clear" d="M{_x(0)} 34H{_x(MEANINGFUL_POINTS)}"/>',
        _text(
            _x(MEANINGFUL_POINTS) + 10, 39, f"{MEANINGFUL_POINTS} points: the smallest change that"
        ),
        _text(_x(MEANINGFUL_POINTS) + 10, 56, "means something; less may be chance"),
        *grid,
    ]


def _row(session: SessionRecord, top: int) -> str:
    """One session: its date, routine and marks above the line from before to after."""
    day = datetime.fromtimestamp(session.started).astimezone().strftime("%Y-%m-%d")
    early = f" · {session.why}" if session.ended_early else ""
    advice = f" · advice: {', '.join(dict.fromkeys(session.advice))}" if session.advice else ""
    label = f"{day} {session.routine}{early}{advice}"
    line = _text(_LEFT, top + 14, label) + _ratings(session, top + 30)
    return f"<g><title>{escape(label)}</title>{line}</g>"


def _ratings(session: SessionRecord, y: int) -> str:
    before, after = session.before, session.after
    line = ""
    if before is not None and after is not None and before != after:
        kind = "clear" if abs(before - after) >= MEANINGFUL_POINTS else "small"
        line = f'<path class="{kind}" d="M{_x(before)} {y}H{_x(after)}"/>'
    # The ring of "before" stays visible around an equal "after".
    return line + _circle("before", before, y, radius=8) + _circle("after", after, y, radius=4)


def _circle(kind: str, points: int | None, y: int, *, radius: int) -> str:
    if points is None:
        return ""
    return f'<circle class="{kind}" cx="{_x(points)}" cy="{y}" r="{radius}"/>'


def _x(points: int) -> int:
    return _LEFT + _POINT * points


def _text(x: int, y: int, text: str) -> str:
    """A line of text, squeezed where it would run off the screen."""
    room = _WIDTH - x - 4
    squeezed = f' textLength="{room}"' if len(text) * _LETTER > room else ""
    return f'<text x="{x}" y="{y}"{squeezed} lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
