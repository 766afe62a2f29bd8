"""Draws recall against false halts as SVG, for the README; it must never measure anything."""

import numpy as np

Points = list[tuple[float, float]]
"""False halts an hour, recall in percent."""

WIDTH, HEIGHT, LEFT, TOP = 640, 400, 60, 20
COLOURS = ("#0b6e4f", "#08415c", "#b5651d", "#8b1e3f", "#5b3a8c", "#777", "#b5651d", "#0b6e4f")
CAPTION = (
    "false halts an hour of talk; recall of “stop” over five conditions "
    "(on people whom the alarm ear was trained on, except with your own FOLDER)"
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
    for (name, points), colour in zip(drawn.items(), COLOURS, strict=False):
        parts += _line(name, [_place(rate, recall, most) for rate, recall in points], colour)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _place(rate: float, recall: float, most: float) -> tuple[float, float]:
    x = LEFT + (WIDTH - LEFT - 20) * np.log1p(rate) / np.log1p(most)
    return round(float(x), 1), round(TOP + (HEIGHT - TOP - 50) * (100 - recall) / 100, 1)


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
    return [*parts, f'<text x="{LEFT}" y="{HEIGHT - 8}">{CAPTION}</text>']


def _line(name: str, where: Points, colour: str) -> list[str]:
    parts = []
    if len(where) > 1:
        path = " ".join(f"{x},{y}" for x, y in where)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
    x, y = where[len(where) // 2]
    # A name that would run out of the picture stands before its point.
    side, anchor = (-8, "end") if x > WIDTH - 150 else (8, "start")
    return [
        *parts,
        f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>',
        f'<text x="{x + side}" y="{y + 14}" text-anchor="{anchor}" fill="{colour}">{name}</text>',
    ]
