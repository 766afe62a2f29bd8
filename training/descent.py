"""How all our networks are trained: AdamW with one cycle of the learning rate, in JAX.

It must never draw from chance itself but by the seed: the same seed and batches give the same
weights.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Params = dict[str, Any]
Loss = Callable[..., Any]
"""Of weights, the parts of a batch, and a key for chance, to what is to become small."""

FIRST, SECOND = 0.9, 0.99
"""How much of the slope's mean and of its square is kept from step to step."""


@dataclass(frozen=True)
class Pace:
    """How fast and how long. The rate rises for `warm_up` of the steps and falls as a cosine."""

    steps: int
    rate: float
    decay: float
    warm_up: float
    seed: int

    def rate_at(self, step: Any) -> Any:
        """The learning rate at a step, 0 to steps."""
        share = step / self.steps
        falling = 0.5 + 0.5 * jnp.cos(jnp.pi * (share - self.warm_up) / (1 - self.warm_up))
        return self.rate * jnp.where(share < self.warm_up, share / self.warm_up, falling)


def pull(params: Params, top_rate: float) -> Params:
    """Each weight's share of the learning rate: the embedding's upper layers learn at `top_rate`
    of it, what the values are scaled by stays."""
    shares = jax.tree.map(jnp.ones_like, params)
    shares["top"] = jax.tree.map(lambda leaf: leaf * top_rate, shares["top"])
    shares["spread"] = jax.tree.map(jnp.zeros_like, shares["spread"])
    return shares


def descend(
    params: Params, shares: Params, loss: Loss, draw: Callable[[], tuple[Any, ...]], pace: Pace
) -> Params:
    """The weights after all steps; `draw` gives the next batch, as `loss` takes it."""
    first = second = jax.tree.map(jnp.zeros_like, params)
    step = _stepper(loss, shares, pace)
    key, began, seen = jax.random.key(pace.seed), time.monotonic(), 0.0
    for n in range(pace.steps):
        key, now = jax.random.split(key)
        params, first, second, value = step(params, first, second, draw(), now, float(n))
        seen = float(value) if n == 0 else 0.98 * seen + 0.02 * float(value)
        if (n + 1) % 250 == 0:
            print(f"  step {n + 1}: loss {seen:.3f}, {time.monotonic() - began:.0f} s", flush=True)
    return jax.tree.map(np.asarray, params)


def _stepper(loss: Loss, shares: Params, pace: Pace) -> Any:
    @jax.jit
    def step(params: Params, first: Params, second: Params, batch: Any, key: Any, n: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(params, *batch, key)
        rate = pace.rate_at(n)
        first = jax.tree.map(lambda m, g: FIRST * m + (1 - FIRST) * g, first, slope)
        second = jax.tree.map(lambda v, g: SECOND * v + (1 - SECOND) * g * g, second, slope)
        m_fix, v_fix = 1 - FIRST ** (n + 1), 1 - SECOND ** (n + 1)

        def moved(p: Any, m: Any, v: Any, share: Any) -> Any:
            way = m / m_fix / (jnp.sqrt(v / v_fix) + 1e-8) + pace.decay * p
            return p - share * rate * way

        return jax.tree.map(moved, params, first, second, shares), first, second, value

    return step


def drop(values: Any, key: Any, share: float) -> Any:
    """Without a `share` of the values, the others stronger; all of them without a key."""
    if key is None:
        return values
    keep = jax.random.bernoulli(key, 1 - share, values.shape)
    return jnp.where(keep, values / (1 - share), 0)


def normed(values: Any, norm: Params) -> Any:
    """As `audio.network.normed`."""
    mean, spread = values.mean(-1, keepdims=True), values.var(-1, keepdims=True)
    return jax.nn.relu((values - mean) / jnp.sqrt(spread + 1e-5) * norm["kernel"] + norm["bias"])
