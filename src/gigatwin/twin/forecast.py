"""What the next hours of a plant bring, as many equally likely runs say."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigatwin.simulation.result import Parameters
from gigatwin.twin.scores import interval

_HOUR = 3600.0
LEVELS = (0.5, 0.9)
"""Probabilities of the intervals that are told."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """What the runs from now came to; every run is equally likely."""

    factory_name: str
    issued: float
    """Clock of the source when it was made, seconds since 1970 in UTC. [s]"""
    hours: float
    """How far it looks ahead. [h]"""
    seed: int
    parameters: Parameters
    """Whether the numbers of the factory were drawn from their estimates in each run."""
    formats: tuple[str, ...]
    stations: tuple[str, ...]
    buffers: tuple[str, ...]
    times: Floats
    """Moments at which was looked, from now. Shape (n_moments,) [s]"""
    finished: Ints
    """Products finished since now. Shape (n_runs, n_moments, n_formats)"""
    in_process: Ints
    """Items in the factory. Shape (n_runs, n_moments)"""
    levels: NDArray[np.int32]
    """Items in each buffer. Shape (n_runs, n_moments, n_buffers)"""
    starves: Floats
    """Time until a station first starves for most of an interval between two moments; infinite:
    not within the horizon. Shape (n_runs, n_stations) [s]"""
    blocks: Floats
    """The same for being blocked."""
    fills: Floats
    """Time until a buffer is first full. Shape (n_runs, n_buffers) [s]"""

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.finished)

    @property
    def end(self) -> float:
        """Clock of the source when the horizon has passed, seconds since 1970 in UTC. [s]."""
        return self.issued + self.hours * _HOUR

    def output(self, product_format: str | None = None) -> Ints:
        """Return the products finished within the horizon, in each run. Shape (n_runs,).

        Parameters
        ----------
        product_format : str, optional
            One format; left out, all together.
        """
        last = self.finished[:, -1]
        if product_format is None:
            return np.asarray(last.sum(axis=1))
        return np.asarray(last[:, self.formats.index(product_format)])

    def interval(
        self, probability: float = 0.9, product_format: str | None = None
    ) -> tuple[float, float]:
        """Return the central interval of the output. [products]."""
        return interval(self.output(product_format), probability)

    def to_dict(self) -> dict[str, Any]:
        """Return what it says as plain data, without the single runs."""
        return {
            "factory": self.factory_name,
            "issued": self.issued,
            "hours": self.hours,
            "runs": self.n_runs,
            "seed": self.seed,
            "parameters": self.parameters,
            "output": {
                "all": _told(self.output()),
                **{name: _told(self.output(name)) for name in self.formats},
            },
            "series": {
                "time [s]": self.times.tolist(),
                "finished": _bands(self.finished.sum(axis=2)),
                "in_process": _bands(self.in_process),
                "levels": {
                    name: _bands(self.levels[:, :, b]) for b, name in enumerate(self.buffers)
                },
            },
            "starves": _times_of(self.stations, self.starves),
            "blocks": _times_of(self.stations, self.blocks),
            "fills": _times_of(self.buffers, self.fills),
        }


def _told(values: Ints) -> dict[str, float]:
    """Return mean, median and intervals."""
    found = {"mean": float(values.mean()), "median": float(np.median(values))}
    for level in LEVELS:
        low, high = interval(values, level)
        found[f"low_{100 * level:.0f}"], found[f"high_{100 * level:.0f}"] = low, high
    return found


def _bands(values: NDArray[Any]) -> dict[str, list[float]]:
    quantiles = (0.05, 0.25, 0.5, 0.75, 0.95)
    found = np.quantile(values, quantiles, axis=0, method="weibull")
    names = ("low_90", "low_50", "median", "high_50", "high_90")
    return {name: row.tolist() for name, row in zip(names, found, strict=True)}


def _times_of(names: tuple[str, ...], times: Floats) -> dict[str, dict[str, float | None]]:
    """Return how likely something is, and when, for all to which it may happen."""
    found = {}
    for column, name in enumerate(names):
        values = times[:, column]
        share = float(np.isfinite(values).mean())
        if share > 0.0:
            # "lower": a time that was there, and infinite where most runs never come to it.
            early, middle, late = np.quantile(values, (0.05, 0.5, 0.95), method="lower")
            found[name] = {
                "probability": share,
                "earliest [s]": float(early) if math.isfinite(early) else None,
                "median [s]": float(middle) if math.isfinite(middle) else None,
                "latest [s]": float(late) if math.isfinite(late) else None,
            }
    return found
