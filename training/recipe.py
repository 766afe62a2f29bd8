"""How a member of the alarm ear's committee is trained, in plain numbers.

It must never import what trains: who only names a recipe, and forks, must not start its threads.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    steps: int = 1300
    batch: int = 24
    rate: float = 3e-3
    top_rate: float = 0.35
    """The upper layers learn at this share of the head's rate."""
    noise: float = 0.3
    dropout: float = 0.3
    decay: float = 1e-2
    hidden: tuple[int, int] = (96, 48)
    seed: int = 1
    counts: int = 1
    """So often in the committee's mean."""
