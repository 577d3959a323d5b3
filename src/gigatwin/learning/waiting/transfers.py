"""How long items take from one machine to the next.

Only an item that found the machine idle shows its transfer time; others waited for the machine.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from gigatwin.factory.durations import Duration, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.waiting.buffers import coincidences, resolution, window_of
from gigatwin.learning.waiting.passages import Floats, passages_of

_NORMAL_QUANTILE = 1.959963984540054
_FEWEST = 5
_LOW = 0.01
_FEWEST_OF_LAW = 30
_TAIL = 0.1
_CORE = 0.5  # share of the idle times around their low end that makes a constant
_N_QUANTILES = 41


@dataclass(frozen=True)
class TransferEstimate:
    """What is known of a transfer time."""

    time: Estimate
    """The transfer time; of a law its mean. [s]"""
    quantiles: Floats | None
    """Quantiles at equally spaced probabilities if it varies by more than the clocks. [s]"""
    n_items: int
    """Items of which both times are known."""
    n_idle: int
    """Those that found the machine idle."""
    note: str
    """What it rests on, in a sentence."""

    @property
    def is_law(self) -> bool:
        """Whether it varies."""
        return self.quantiles is not None

    def duration(self) -> Duration:
        """Return it for a factory description."""
        if self.quantiles is None:
            return max(0.0, self.time.value)
        return Empirical(quantiles=tuple(float(value) for value in self.quantiles))


def estimate_transfer(
    departures: Floats, starts: Floats, released: Floats, sigma: float = 0.0
) -> TransferEstimate:
    """Return the transfer time of items between two stations.

    Parameters
    ----------
    departures : numpy.ndarray
        When each item left the machine before; NaN where not known. Shape (n_items,). [s]
    starts : numpy.ndarray
        When it entered the machine. [s]
    released : numpy.ndarray
        When the item before it left that machine; NaN where not known. [s]
    sigma : float
        Standard deviation of the clocks. [s]

    Returns
    -------
    TransferEstimate
        Identified if 5 items or more found the machine idle, else the shortest time is the most
        that it can be. With a varying transfer time, items of long transfers find the machine idle
        more often, so that the quantiles are somewhat too long where the machine is busy.
    """
    window = window_of(sigma, resolution(np.concatenate([departures, starts])))
    times = starts - departures
    known = times[np.isfinite(times)]
    idle = times[np.isfinite(times) & (starts - released > window)]
    if len(idle) < _FEWEST:
        return _shortest(known, window)
    low = float(np.quantile(idle, _LOW))
    core = idle[(idle >= low - window) & (idle <= low + 2.0 * window)]
    # Many equal times and a tail: some items waited for more than the machine, a crew perhaps.
    is_peak = len(core) >= max(2 * _FEWEST, _TAIL * len(idle)) and (
        coincidences(idle - float(np.median(core)), window).is_significant
    )
    if len(core) >= max(_FEWEST, _CORE * len(idle)) or is_peak:
        value = float(np.median(core))
        # A median has 1.25 times the error of a mean.
        error = 1.25 * float(core.std()) / math.sqrt(len(core)) if sigma else window
        note = f"{len(core)} of {len(idle)} items that found the machine idle took the same time."
        estimate = _estimate(value, error, len(core))
        return TransferEstimate(estimate, None, len(known), len(idle), note)
    # Where a record is lost, a machine looks idle that was not.
    if len(idle) < max(_FEWEST_OF_LAW, _LOW * len(known)):
        return _shortest(known, window)
    quantiles = np.quantile(idle, np.linspace(0.0, 1.0, _N_QUANTILES))
    quantiles = np.maximum.accumulate(np.maximum(quantiles, 0.0))
    error = float(idle.std(ddof=1)) / math.sqrt(len(idle))
    note = f"It varies; quantiles of {len(idle)} items that found the machine idle."
    estimate = _estimate(float(idle.mean()), error, len(idle))
    return TransferEstimate(estimate, quantiles, len(known), len(idle), note)


def transfers_of(
    visits: pl.DataFrame, predecessors: Mapping[str, Sequence[str]], sigma: float = 0.0
) -> dict[tuple[str, str], TransferEstimate]:
    """Return the transfer time of each pair of stations that items went between.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station, machine, start, end (s, null where the event is missing).
    predecessors : Mapping
        Station to the stations before it.
    sigma : float
        Standard deviation of the clocks. [s]
    """
    stations = visits["station"].to_numpy()
    result = {}
    for station, passages in passages_of(visits, predecessors).items():
        before = np.where(passages.from_row >= 0, stations[passages.from_row], "")
        for other in predecessors[station]:
            of_pair = passages.where((before == other) & (passages.to_row >= 0))
            if len(of_pair.entries):
                result[other, station] = estimate_transfer(
                    of_pair.entries, of_pair.exits, of_pair.released, sigma
                )
    return result


def _shortest(known: Floats, window: float) -> TransferEstimate:
    """Return what is known when no item found the machine idle."""
    most = max(0.0, float(known.min()) + window) if len(known) else 0.0
    value = max(0.0, float(known.min())) if len(known) else 0.0
    estimate = Estimate(
        value=value,
        low=0.0,
        high=max(most, value) if len(known) else None,
        unit="s",
        n=len(known),
        method="shortest time; the machine was never idle" if len(known) else "assumed",
        is_identified=False,
    )
    note = "Not identified: too few items found the machine idle; it is this or shorter."
    if not len(known):
        note = "Not identified: no item with both times; none is assumed."
    return TransferEstimate(estimate, None, len(known), 0, note)


def _estimate(value: float, error: float, n: int) -> Estimate:
    # No item arrives before it leaves, whatever the clocks say.
    value, reach = max(0.0, value), _NORMAL_QUANTILE * error
    return Estimate(
        value=value,
        low=max(0.0, value - reach),
        high=value + reach,
        unit="s",
        n=n,
        method="items that found the machine idle",
    )
