"""A measured curve: its experiment, its exponent, its plot and its section of the documentation.

The exponent is the slope in the upper half of the logarithmic plot: 0 is a constant cost, and 1 is a cost that
doubles when its cause doubles.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The cost of one operation as a function of one size.

    Args:
        points: Sizes and costs, in ascending order of the sizes.
        exponent: The slope in the upper half of the logarithmic plot.
        comment: Why the growth is what it is.
        file: The name of the plot.
    """

    name: str
    unit_x: str
    unit_y: str
    points: tuple[tuple[float, float], ...]
    exponent: float
    comment: str
    file: str


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What to measure: :meth:`cost` of each size, in microseconds unless the unit is another."""

    name: str
    unit_x: str
    sizes: Sequence[float]
    short: Sequence[float]
    cost: Callable[[float], float]
    comment: str
    file: str
    unit_y: str = "µs"
    rounds: int = 3
    """How often each size is measured; the least cost counts."""

    def points(self, *, short: bool) -> tuple[tuple[float, float], ...]:
        """Measure all sizes in turn, so that a busy moment does not distort all repeats of one size."""
        sizes = self.short if short else self.sizes
        rounds = [[self.cost(size) for size in sizes] for _ in range(min(self.rounds, 2) if short else self.rounds)]
        return tuple((size, min(costs)) for size, *costs in zip(sizes, *rounds, strict=True))


def fit_exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope in the upper half of the logarithmic plot, by least squares."""
    logarithms = [(math.log(x), math.log(y)) for x, y in points]
    middle = (logarithms[0][0] + logarithms[-1][0]) / 2
    upper = [(x, y) for x, y in logarithms if x >= middle]
    if len(upper) < 2:
        upper = logarithms[-2:]
    return statistics.linear_regression(*zip(*upper, strict=True)).slope


def load(figures: Path) -> list[Curve]:
    """Return the curves of an earlier run, from its ``growth.json``."""
    documents = json.loads(figures.read_text())
    return [Curve(**document | {"points": tuple(map(tuple, document["points"]))}) for document in documents]


def describe(curve: Curve) -> str:
    """Return a curve in one line."""
    points = ", ".join(f"{x:g}: {y:.3g}" for x, y in curve.points)
    return f"{curve.name}: exponent {curve.exponent:.2f} ({curve.unit_y} at {curve.unit_x}: {points})"


def plot(curve: Curve, file: Path) -> None:
    """Draw a curve on logarithmic scales."""
    figure = Figure(figsize=(5, 3.2), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.loglog(*zip(*curve.points, strict=True), marker="o")
    axes.set_title(f"{curve.name}: exponent {curve.exponent:.2f}", fontsize=9)
    axes.set_xlabel(curve.unit_x)
    axes.set_ylabel(curve.unit_y)
    _, top = axes.get_ylim()
    low = min(y for _, y in curve.points)
    axes.set_ylim(low / 3, max(top, 3 * low))  # a constant cost looks constant
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.savefig(file, metadata={"Software": ""})


def section(curves: Sequence[Curve], *, folder: str) -> str:
    """Return the section of the documentation about the curves.

    Args:
        folder: The folder of the plots, as seen from the page.
    """
    lines = [
        "Growth",
        "------",
        "",
        (
            "The exponent is the slope in the upper half of each plot: 0 is a constant cost, and 1 is a cost that "
            "doubles when its cause doubles."
        ),
        "",
    ]
    for curve in curves:
        (first_x, first_y), (last_x, last_y) = curve.points[0], curve.points[-1]
        caption = (
            f"{curve.name}: exponent {curve.exponent:.2f}; {first_y:.3g} {curve.unit_y} at {first_x:g} and "
            f"{last_y:.3g} {curve.unit_y} at {last_x:g} {curve.unit_x}. {curve.comment}"
        )
        lines += [f".. figure:: {folder}/{curve.file}", f"   :alt: {curve.name}", "", f"   {caption}", ""]
    return "\n".join(lines)
