"""What a change is predicted to do: effects for people, and what the watch compares with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gigatwin.factory.factory import Factory
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.proposal import Guard

_HOUR = 3600.0
_SCORE = 1.959963984540054
_COUNTING = 0.25
"""Variance of a count that is read at a moment between two items, at most. [-]"""
_LEAST_RUNS = 10
_LEAST_MEAN = 0.5


@dataclass(frozen=True, slots=True)
class Effect:
    """A quantity before and after a change, with the 95 % interval of the difference."""

    name: str
    unit: str
    before: float | None
    after: float | None
    low: float | None
    """Lower end of the interval of after minus before."""
    high: float | None
    """Upper end."""
    verdict: str = ""
    """Whether that is better, worse, or not clear."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What one station is predicted to do while a change is watched."""

    station: str
    """The station."""
    times: tuple[float, ...]
    """Looks, since the watch began. [s]"""
    good: tuple[float, ...]
    """Mean of the good items that left it up to each look."""
    covariance: tuple[tuple[float, ...], ...]
    """Covariance of those counts."""
    degrees: float | None
    """Degrees of freedom of the covariance; None: many."""
    scrap: float
    """Mean scrap ratio. [-]"""
    scrap_error: float
    """Standard deviation of the ratio in one watch, beyond that of counting. [-]"""
    processed: tuple[float, ...]
    """Mean of all items, scrap included."""
    good_before: float | None = None
    """Good items per hour without the change. [1/h]"""
    scrap_before: float | None = None
    """Scrap ratio without the change. [-]"""

    @property
    def rate(self) -> tuple[float, float, float]:
        """Good items per hour [1/h] over the watch: mean, and 95 % interval of what is seen."""
        hours = self.times[-1] / _HOUR
        half = _SCORE * math.sqrt(self.covariance[-1][-1]) / hours
        mean = self.good[-1] / hours
        return mean, mean - half, mean + half


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a change is predicted to do."""

    how: str
    """What was simulated, in words."""
    effects: tuple[Effect, ...]
    """For people."""
    watched: tuple[Watched, ...]
    """For the watch."""
    remarks: tuple[str, ...] = field(default=())
    """What should be known about it."""

    @property
    def data(self) -> dict[str, Any]:
        """The prediction as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Prediction":
        """Return the prediction in plain data.

        Raises
        ------
        ChangeError
            If it is none.
        """
        try:
            watched = tuple(
                Watched(
                    **{
                        **each,
                        "times": tuple(each["times"]),
                        "good": tuple(each["good"]),
                        "processed": tuple(each["processed"]),
                        "covariance": tuple(map(tuple, each["covariance"])),
                    }
                )
                for each in data["watched"]
            )
            effects = tuple(Effect(**each) for each in data["effects"])
            return cls(data["how"], effects, watched, tuple(data["remarks"]))
        except (KeyError, TypeError) as error:
            message = f"record: an entry 'predicted' is no prediction ({error})."
            raise ChangeError(message) from None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a station was seen to do before a change, to put the prediction right."""

    good: float
    """Good items."""
    scrap: float
    """Items spoiled or sorted out."""
    seconds: float
    """In how much time. [s]"""


class Predictor(Protocol):
    """Simulates a change, from a steady state or from now."""

    def __call__(
        self, factory: Factory, changed: Factory, product_format: str | None, guard: Guard
    ) -> Prediction:
        """Return what the change does.

        Parameters
        ----------
        factory, changed : Factory
            Before and after.
        product_format : str, optional
            Format that is made afterwards; None: as now.
        guard : Guard
            Stations to watch, looks, and the time to settle before them.
        """


def predict_station(  # noqa: PLR0913 - keyword arguments
    station: str,
    guard: Guard,
    good: NDArray[np.float64],
    scrap: NDArray[np.float64],
    *,
    before_good: NDArray[np.float64] | None = None,
    before_scrap: NDArray[np.float64] | None = None,
    baseline: Baseline | None = None,
) -> Watched:
    r"""Return what a station is predicted to do, from simulated counts.

    Parameters
    ----------
    station : str
        The station.
    guard : Guard
        Looks, and the uncertainty of the model beyond chance.
    good, scrap : ndarray
        Items that left it as good, and as scrap, up to each look, in independent runs of the
        changed factory. Shape (n_runs, looks).
    before_good, before_scrap : ndarray, optional
        The same without the change.
    baseline : Baseline, optional
        What the plant did before the change. The prediction is then the plant's own rate times the
        simulated ratio, and its scrap ratio plus the simulated difference.

    Notes
    -----
    The covariance is that of one more run (:math:`1 + 1/n` times that of the runs), plus the
    model's error, which is common to all looks, plus 1/4 for counts read between two items.
    """
    n = len(good)
    if n < _LEAST_RUNS:
        message = f"prediction: {n} runs; must be {_LEAST_RUNS} or more, as a spread needs them."
        raise ChangeError(message)
    times = np.asarray(guard.times)
    mean = good.mean(axis=0)
    covariance = np.atleast_2d(np.cov(good, rowvar=False)) * (1.0 + 1.0 / n)
    total, spoiled = float((good + scrap)[:, -1].sum()), float(scrap[:, -1].sum())
    share = (spoiled + 0.5) / (total + 1.0)
    variance = _variance_of_share(good[:, -1], scrap[:, -1], share)
    rate_before, share_before = None, None
    if before_good is not None and before_scrap is not None:
        rate_before = float(before_good[:, -1].mean()) / times[-1] * _HOUR
        all_before = float((before_good + before_scrap)[:, -1].sum())
        share_before = float(before_scrap[:, -1].sum()) / max(all_before, 1.0)
    shared = guard.model_error**2
    if baseline is not None and rate_before and share_before is not None:
        seen = baseline.good / baseline.seconds * _HOUR
        factor = seen / rate_before
        # The baseline is one history, too: as uncertain as a watch of its length.
        shared += covariance[-1, -1] / mean[-1] ** 2 * times[-1] / baseline.seconds
        mean, covariance = mean * factor, covariance * factor**2
        n_seen = max(baseline.good + baseline.scrap, 1.0)
        share_seen = baseline.scrap / n_seen
        variance += share_seen * (1.0 - share_seen) / n_seen
        share = min(max(share_seen + share - share_before, 0.0), 1.0)
        rate_before, share_before = seen, share_seen
    if mean[-1] < _LEAST_MEAN:
        message = (
            f"prediction: {station} makes {mean[-1]:.2g} items in a watch of {times[-1]:g} s; "
            "watch for longer, or watch a station that makes something."
        )
        raise ChangeError(message)
    covariance = covariance + shared * np.outer(mean, mean) + _COUNTING * np.eye(len(mean))
    all_mean = mean / max(1.0 - share, 1e-9)
    return Watched(
        station=station,
        times=guard.times,
        good=_floats(mean),
        covariance=tuple(_floats(row) for row in covariance),
        degrees=float(n - 1),
        scrap=float(share),
        scrap_error=float(math.sqrt(variance + shared * share**2)),
        processed=_floats(all_mean),
        good_before=rate_before,
        scrap_before=share_before,
    )


def _variance_of_share(
    good: NDArray[np.float64], scrap: NDArray[np.float64], share: float
) -> float:
    """Return the squared uncertainty of a scrap ratio, without that of counting in one watch.

    It has two parts: the simulated mean is not known exactly, and scrap that comes in bursts makes
    the ratio differ between runs by more than counting does.
    """
    n = np.maximum(good + scrap, 1.0)
    binomial = share * (1.0 - share)
    of_mean = float(np.sum((scrap - share * n) ** 2)) / float(n.sum()) ** 2
    between = float(np.sum(n * (scrap / n - share) ** 2)) / float(n.sum())
    bursts = max(between - binomial / float(n.mean()), 0.0)
    return max(of_mean, binomial / float(n.sum())) + bursts


def _floats(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
