"""Draws recall against false halts as SVG, for the README; it must never measure anything."""

import numpy as np

Points = list[tuple[float, float]]
"""False halts an hour, recall in percent."""

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 420, 60, 20, 350
COLOURS = {"alarm": "#0b6e4f", "peer": "#8b1e3f", "fused": "#5b3a8c"}
"""One for each ear: a name begins with its ear's."""
OTHER_COLOUR = "#555"
CAPTION = (
    "false halts an hour of talk; recall of “stop” over five conditions,",
    "on people whom the alarm ear was trained on, except with your own FOLDER",
)


def picture(drawn: dict[str, Points]) -> str:
    """Each name a line of several points, or one point."""
    most = max([10.0, *(x for points in drawn.values() for x, _ in points)])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_axes(most),
    ]
    marks: dict[tuple[float, float], list[str]] = {}
    for name, points in drawn.items():
        where = [_place(rate, recall, most) for rate, recall in points]
        if len(where) > 1:
            parts.append(_line(name, where))
        marks.setdefault(where[len(where) // 2], []).append(name)
    for place, names in marks.items():
        parts += _mark(place, names)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _place(rate: float, recall: float, most: float) -> tuple[float, float]:
    x = LEFT + (WIDTH - LEFT - 20) * np.log1p(rate) / np.log1p(most)
    return round(float(x), 1), round(TOP + (BOTTOM - TOP) * (100 - recall) / 100, 1)


def _axes(most: float) -> list[str]:
    parts = []
    for recall in range(0, 101, 20):
        x, y = _place(0, recall, most)
        parts.append(f'<path d="M{x} {y}H{WIDTH - 20}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{recall} %</text>')
    for rate in (0, 1, 5, 15, 60, 120):
        if rate <= most:
            x, y = _place(rate, 0, most)
            parts.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{rate}</text>')
    told = [
        f'<text x="{LEFT}" y="{BOTTOM + 42 + 16 * line}">{text}</text>'
        for line, text in enumerate(CAPTION)
    ]
    return [*parts, *told]


def _colour(name: str) -> str:
    return next((c for ear, c in COLOURS.items() if name.startswith(ear)), OTHER_COLOUR)


def _line(name: str, where: Points) -> str:
    path = " ".join(f"{x},{y}" for x, y in where)
    return f'<polyline points="{path}" fill="none" stroke="{_colour(name)}"/>'


def _mark(place: tuple[float, float], names: list[str]) -> list[str]:
    """A dot, with the names of all that are there."""
    x, y = place
    colour = _colour(names[0])
    # A name that would run out of the picture stands before its point.
    side, anchor = (-8, "end") if x > WIDTH - 170 else (8, "start")
    # Below its point, but for the curves: their names would meet those of the points beside.
    down = -8 if names[0].endswith("bar") else 14
    text = " and ".join([names[0], *(name.split()[-1] for name in names[1:])])
    return [
        f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>',
        f'<text x="{x + side}" y="{y + down}" text-anchor="{anchor}" fill="{colour}">{text}</text>',
    ]
