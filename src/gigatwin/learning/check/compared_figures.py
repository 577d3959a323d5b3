"""Figures of a real log beside those of simulated ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.learning.check.agreement import FAMILY_ERROR, Agreement, agreement, distances, holm
from gigatwin.learning.check.log_measures import LogMeasures
from gigatwin.standards.machine_states import MachineState

Floats = NDArray[np.float64]
LEAST_REPLICATIONS = 5
"""Simulated logs that a figure needs, to know what chance does."""
LEAST_VALUES = 5
"""Complete visits that a station needs for its times to be compared."""
_MOST_VALUES = 4000
_LEAST_SHARE = 0.01
_DISTANCES = ("KS", "W1")


@dataclass(frozen=True)
class Figure:
    """One figure of the log beside the same of the simulated logs."""

    station: str
    """Station; empty for the line."""
    quantity: str
    """What it is."""
    unit: str
    """Unit; empty for shares and distances between distribution functions."""
    measured: float
    """Value in the log. For a distance: of the log from all simulated logs."""
    simulated: float
    """Mean over the simulated logs. For a distance: of each simulated log from the others."""
    low: float
    """Lower end of the 95 % interval for one simulated log."""
    high: float
    """Upper end."""
    p_value: float
    """Probability of a difference at least as large by chance, for this figure alone."""
    detectable: float
    """Difference that would have been larger than chance: a share of the value for rates and
    times, the value for a distance, otherwise in the unit."""
    is_larger_than_chance: bool
    """Whether it differs by more than chance, among all figures, and by more than is negligible."""

    @property
    def difference(self) -> float:
        """Simulated minus measured value; of a distance, what it is above the usual one."""
        return self.simulated - self.measured

    @property
    def relative_difference(self) -> float:
        """Difference over the measured value; NaN where that is 0."""
        return self.difference / self.measured if self.measured else np.nan

    @property
    def is_distance(self) -> bool:
        """Whether it is a distance between distributions, of which only large values matter."""
        return self.quantity.endswith(_DISTANCES)

    @property
    def is_share(self) -> bool:
        """Whether it is a share, of time or of items."""
        return "share" in self.quantity


def differences_of(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Return the figures that differ by more than chance, the line's and the surest first."""
    found = [figure for figure in figures if figure.is_larger_than_chance]
    return tuple(sorted(found, key=lambda figure: (bool(figure.station), figure.p_value)))


@dataclass(frozen=True)
class Sample:
    """One log, reduced to what is compared; keys are (station, quantity)."""

    n_finished: int
    """Cases that left."""
    values: dict[tuple[str, str], float]
    distributions: dict[str, Floats]
    """Ascending lead times ('') and times at each station. [s]"""


_UNITS = {"throughput": "1/s", "items in process": "", "time mean": "s", "visits per case": ""}
"""Quantities whose spread is proportional to their size, and their units."""


def _is_ratio(quantity: str) -> bool:
    return quantity in _UNITS or quantity.startswith("lead time")


def sample_of(found: LogMeasures, stations: Sequence[str]) -> Sample:
    """Return what of a log is compared."""
    values = {
        ("", "throughput"): found.n_finished / (found.end - found.begin),
        ("", "items in process"): found.in_process.mean,
    }
    distributions = {}
    if len(found.lead_times):
        values["", "lead time mean"] = float(found.lead_times.mean())
        for share, value in zip(
            (10, 50, 90), found.lead_time_quantiles(0.1, 0.5, 0.9), strict=True
        ):
            values["", f"lead time {share} % quantile"] = value
        distributions[""] = _thinned(found.lead_times)
    for number, name in enumerate(stations):
        item = found.stations[name]
        values[name, "visits per case"] = item.visits / max(found.n_finished, 1)
        values[name, "idle share"] = item.idle_share
        if len(item.durations):
            values[name, "time mean"] = item.mean
            distributions[name] = _thinned(item.durations)
        moves = found.moves[number]
        if moves.sum():
            for target, count in zip((*stations, "out"), moves, strict=True):
                values[name, f"share to {target}"] = float(count / moves.sum())
    values.update({(name, state): share for (name, state), share in _states(found).items()})
    return Sample(found.n_finished, values, distributions)


def _state_share(state: str) -> str:
    return f"{state.lower().replace('_', ' ')} share"


_STATE_SHARES = frozenset(_state_share(state.name) for state in MachineState)


def _states(found: LogMeasures) -> dict[tuple[str, str], float]:
    return {
        (name, _state_share(state)): share for (name, state), share in found.state_shares.items()
    }


def _thinned(ordered: Floats) -> Floats:
    n = len(ordered)
    if n <= _MOST_VALUES:
        return ordered
    places = ((np.arange(_MOST_VALUES) + 0.5) * n / _MOST_VALUES).astype(int)
    return np.asarray(ordered[places])


@dataclass(frozen=True)
class _Compared:
    station: str
    quantity: str
    unit: str
    measured: float
    agreement: Agreement


def figures_of(
    real: Sample, samples: Sequence[Sample], stations: Sequence[str], negligible: float
) -> tuple[Figure, ...]:
    """Compare a real log with simulated ones.

    Parameters
    ----------
    real : Sample
        The real log.
    samples : sequence of Sample
        Simulated logs, each of the same length.
    stations : sequence of str
        Stations to compare, after the line as a whole.
    negligible : float
        Difference that is not called one.
    """
    found = [
        compared
        for station in ("", *stations)
        for compared in (
            *_scalars(real, samples, station),
            *_distributions(real, samples, station),
        )
    ]
    falls = holm([compared.agreement.p_value for compared in found])
    # A distribution that is shifted by next to nothing may still look different to KS.
    w1 = {item.station: _size(item, real) for item in found if item.quantity.endswith("W1")}
    figures = []
    for item, is_sure in zip(found, falls, strict=True):
        low, high = item.agreement.interval()
        detectable = item.agreement.detectable(FAMILY_ERROR / len(found))
        if _is_ratio(item.quantity) and not (item.agreement.is_log or item.agreement.is_distance):
            detectable /= item.measured or np.inf
        size = w1[item.station] if item.quantity.endswith("KS") else _size(item, real)
        figures.append(
            Figure(
                station=item.station,
                quantity=item.quantity,
                unit=item.unit,
                measured=item.measured,
                simulated=item.agreement.simulated,
                low=low,
                high=high,
                p_value=item.agreement.p_value,
                detectable=detectable,
                is_larger_than_chance=is_sure and size > negligible,
            )
        )
    return tuple(figures)


def _size(item: _Compared, real: Sample) -> float:
    """Return how large a difference is, as `verify` means its ``negligible``."""
    if item.quantity.endswith("W1"):
        mean = float(real.distributions[item.station].mean())
        return item.measured / mean if mean > 0 else np.inf
    difference = abs(item.agreement.simulated - item.measured)
    if _is_ratio(item.quantity):
        return difference / item.measured if item.measured else np.inf
    return difference


def _scalars(real: Sample, samples: Sequence[Sample], station: str) -> list[_Compared]:
    names = dict.fromkeys(
        quantity
        for sample in (real, *samples)
        for place, quantity in sample.values
        if place == station
    )
    found = []
    for quantity in names:
        is_ratio = _is_ratio(quantity)
        # A way that is never taken has the share 0; a time that was never seen has no value.
        default = np.nan if is_ratio else 0.0
        key = (station, quantity)
        measured = real.values.get(key, default)
        values = [sample.values.get(key, default) for sample in samples]
        values = [value for value in values if np.isfinite(value)]
        is_few = quantity == "time mean" and len(real.distributions[station]) < LEAST_VALUES
        if (
            not np.isfinite(measured)
            or len(values) < LEAST_REPLICATIONS
            or is_few
            or (quantity.startswith("share to") and _is_trivial(measured, values))
            # A state that never occurs tells nothing, and would blunt all other tests.
            or (quantity in _STATE_SHARES and not any((measured, *values)))
        ):
            continue
        unit = "s" if quantity.startswith("lead time") else _UNITS.get(quantity, "")
        is_count = quantity != "time mean" and not quantity.startswith("lead time")
        resolution = 1 / real.n_finished if is_count else 0.0
        compared = agreement(measured, values, is_ratio=is_ratio, resolution=resolution)
        found.append(_Compared(station, quantity, unit, measured, compared))
    return found


def _is_trivial(measured: float, values: Sequence[float]) -> bool:
    """Return whether a way is the only one, or hardly taken, in the log and in the simulations."""
    return max(measured, *values) < _LEAST_SHARE or min(measured, *values) == 1.0


def _distributions(real: Sample, samples: Sequence[Sample], station: str) -> list[_Compared]:
    measured = real.distributions.get(station, np.empty(0))
    simulated = [sample.distributions.get(station, np.empty(0)) for sample in samples]
    simulated = [values for values in simulated if len(values)]
    if len(measured) < LEAST_VALUES or len(simulated) < LEAST_REPLICATIONS:
        return []
    what = "time" if station else "lead time"
    return [
        _Compared(
            station,
            f"{what} distribution {name}",
            unit,
            found.measured,
            agreement(found.measured, found.simulated, is_ratio=True, is_distance=True),
        )
        for name, unit, found in zip(
            _DISTANCES, ("", "s"), distances(measured, simulated), strict=True
        )
    ]
