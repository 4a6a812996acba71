"""Contests: one thing measured beside its peers, again and again in turn.

The speed of a machine drifts, so figures taken minutes apart do not compare.
A round measures ours and each peer; the ratio is taken within a round, and what
counts is the median of the ratios. The first round warms up and does not count.

Who has just written a gigabyte leaves the disk busy for the next one. So each
measurement begins once the disk is at rest (machine_rest.py), and every round
begins with another contestant.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable

import machine_rest

# Measures once; returns the figure.
Measure = Callable[[], float]


@dataclasses.dataclass(frozen=True)
class Bar:
    """What is asked of a median; one of the two is set."""

    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:,.10g}"
        return f"≤ {self.at_most:,.10g}"


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    measure: Measure
    # On ours / peer; None if the figure is for orientation.
    bar: Bar | None = None


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    lower_quartile: float
    upper_quartile: float
    minimum: float
    maximum: float

    @staticmethod
    def of(values: list[float]) -> Spread:
        if len(values) == 1:
            quartiles = [values[0]] * 3
        else:
            quartiles = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(
            quartiles[1], quartiles[0], quartiles[2], min(values), max(values)
        )


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Ours beside one peer."""

    peer: str
    samples: list[float]
    ratio: Spread
    bar: Bar | None


@dataclasses.dataclass(frozen=True)
class Result:
    group: str
    name: str
    unit: str
    samples: list[float]
    # On the median of ours itself.
    bar: Bar | None
    comparisons: list[Comparison]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def short(self) -> list[str]:
        """The bars that are not met, in words."""
        found = []
        if self.bar is not None and not self.bar.met(self.median):
            found.append(f"{self.name}: {self.median:,.4g}, {self.bar} wanted")
        for each in self.comparisons:
            if each.bar is not None and not each.bar.met(each.ratio.median):
                found.append(
                    f"{self.name}: {each.ratio.median:.2f} of {each.peer}, "
                    f"{each.bar} wanted"
                )
        return found


def hold(
    group: str,
    name: str,
    unit: str,
    ours: Measure,
    peers: list[Peer],
    bar: Bar | None,
    rounds: int,
    warm_up: bool = True,
) -> Result:
    our_samples: list[float] = []
    peer_samples: list[list[float]] = [[] for _ in peers]
    contestants = [ours] + [peer.measure for peer in peers]
    for number in range(rounds + warm_up):
        figures = [0.0] * len(contestants)
        for place in range(len(contestants)):
            at = (place + number) % len(contestants)
            machine_rest.wait_for_disks()
            figures[at] = contestants[at]()
        if number < warm_up:
            continue
        our_samples.append(figures[0])
        for samples, figure in zip(peer_samples, figures[1:]):
            samples.append(figure)
    return Result(
        group,
        name,
        unit,
        our_samples,
        bar,
        [
            Comparison(
                peer.name,
                samples,
                Spread.of([a / b for a, b in zip(our_samples, samples)]),
                peer.bar,
            )
            for peer, samples in zip(peers, peer_samples)
        ],
    )
