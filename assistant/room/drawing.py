"""A few shapes of SVG on a light ground; it knows nothing of sessions and measures no fonts.

Text is placed by estimate: 0.56 of its size a letter, as a common sans-serif is wide.
"""

from xml.sax.saxutils import escape

INK, MUTED, LINE, GROUND = "#1f2933", "#66727f", "#d5dbe1", "#ffffff"
LETTER_WIDTH = 0.56
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"


def text_width(text: str, size: float) -> float:
    """About how wide a line of text is."""
    return len(text) * size * LETTER_WIDTH


def fit(text: str, width: float, size: float) -> str:
    """Shorten a text to a width; empty where not even three letters would fit."""
    letters = int(width / (size * LETTER_WIDTH))
    if len(text) <= letters:
        return text
    return text[: letters - 1].rstrip() + "…" if letters > 3 else ""


def _clean(text: str) -> str:
    """A text as XML may hold it: no control characters, and the marks escaped."""
    return escape("".join(letter if letter.isprintable() else " " for letter in text))


class Drawing:
    """Collects shapes; `svg()` is the whole picture."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" role="img" font-family="{FONT}">'
            f"<title>{_clean(title)}</title>"
        )
        self._shapes = [f'<rect width="{width:g}" height="{height:g}" fill="{GROUND}"/>']

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, *, round_by: float = 0.0
    ) -> None:
        """Draw a filled rectangle; it is never narrower than can be seen."""
        self._shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" height="{height:.1f}" '
            f'rx="{round_by:g}" fill="{fill}"/>'
        )

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: str = LINE, *, width: float = 1.0
    ) -> None:
        """Draw a straight line."""
        self._shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{stroke}" stroke-width="{width:g}"/>'
        )

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        """Draw a filled circle."""
        self._shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 12.0,
        fill: str = INK,
        anchor: str = "start",
        bold: bool = False,
        halo: bool = False,
    ) -> None:
        """Write a line of text; `y` is its base line, `anchor` start, middle or end.

        A `halo` of the ground's colour keeps it readable across lines.
        """
        weight = ' font-weight="600"' if bold else ""
        if halo:
            weight += f' stroke="{GROUND}" stroke-width="3" paint-order="stroke"'
        self._shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" '
            f'text-anchor="{anchor}"{weight}>{_clean(text)}</text>'
        )

    def svg(self) -> str:
        """Return the picture as text."""
        return "\n".join([self._head, *self._shapes, "</svg>\n"])


class Axis:
    """Session seconds to a horizontal place."""

    def __init__(self, start: float, end: float, left: float, right: float) -> None:
        self.start, self.end, self.left, self.right = start, end, left, right

    def x(self, seconds: float) -> float:
        """Where a time stands, kept inside the axis."""
        share = (seconds - self.start) / max(self.end - self.start, 1e-6)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def shows(self, start: float, end: float) -> bool:
        """Whether any of a stretch of time is inside the axis."""
        return end >= self.start and start <= self.end

    def ticks(self) -> list[float]:
        """Round times, four to twelve of them."""
        span = self.end - self.start
        steps = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
        step = next((s for s in steps if span / s <= 12), 600.0)
        first = -(-self.start // step)
        return [(first + n) * step for n in range(int((self.end - first * step) / step + 1e-9) + 1)]
