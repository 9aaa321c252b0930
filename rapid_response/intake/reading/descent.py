"""Finds where a smooth convex function is least: L-BFGS in plain Python (Liu & Nocedal, 1989).

Own code, because training is run where the product is installed and nothing else of numbers is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from operator import mul

Vector = list[float]
#: The function's value at a point, and its slope there.
Measured = Callable[[Vector], tuple[float, Vector]]

#: How many earlier steps tell of the function's shape.
_REMEMBERED = 8
#: How much of what the slope promises a step has to keep (Armijo's rule); how often it is halved for that.
_KEPT, _HALVINGS = 1e-4, 20


def least(measure: Measured, start: Vector, rounds: int, near: float = 1e-5) -> Vector:
    """The point reached after so many rounds, or before, when a round gains less than `near` of the value."""
    point, (value, slope) = start, measure(start)
    known: deque[tuple[Vector, Vector, float]] = deque(maxlen=_REMEMBERED)
    for _ in range(rounds):
        way = _way_down(slope, known)
        promised = _dot(slope, way)
        length = 1.0 if known else 1.0 / max(1.0, _dot(slope, slope) ** 0.5)
        for _ in range(_HALVINGS):
            there = [x + length * w for x, w in zip(point, way, strict=True)]
            found, steep = measure(there)
            if found <= value + _KEPT * length * promised:
                break
            length /= 2
        else:
            return point
        moved = [length * w for w in way]
        turned = [new - old for new, old in zip(steep, slope, strict=True)]
        if (bend := _dot(moved, turned)) > 0:
            known.append((moved, turned, bend))
        is_near = value - found <= near * abs(value)
        point, value, slope = there, found, steep
        if is_near:
            break
    return point


def _way_down(slope: Vector, known: Sequence[tuple[Vector, Vector, float]]) -> Vector:
    """The direction of the next step, by the slope and by how it turned on the last steps."""
    way, told = [-s for s in slope], []
    for moved, turned, bend in reversed(known):
        part = _dot(moved, way) / bend
        way = [w - part * t for w, t in zip(way, turned, strict=True)]
        told.append(part)
    if known:
        _, turned, bend = known[-1]
        scale = bend / _dot(turned, turned)
        way = [scale * w for w in way]
    for (moved, turned, bend), part in zip(known, reversed(told), strict=True):
        more = part - _dot(turned, way) / bend
        way = [w + more * m for w, m in zip(way, moved, strict=True)]
    return way


def _dot(one: Vector, other: Vector) -> float:
    return float(sum(map(mul, one, other)))
