r"""Serial lines drawn at random, with everything known about what happened in them.

They are simulated by their own max-plus recursion, not by the kernel, so that a mistake in the one
does not hide in the other. With :math:`S` start, :math:`C` end of processing and :math:`D`
departure of part :math:`i` at station :math:`j`, and :math:`b` places in front of the next one,

.. math::

    S_{i,j} = \max(D_{i,j-1} + t_j, D_{i-1,j}), \quad
    C_{i,j} = S_{i,j} + P_{i,j} + R_{i,j}, \quad
    D_{i,j} = \max(C_{i,j}, S_{i-b,j+1}).
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numba
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import signal, special

from gigatwin.factory.durations import Distribution, Duration
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.factory.stops import Stop

Floats = NDArray[np.float64]
Variant = Literal["plain", "autocorrelated", "shifts", "wear"]
"""What a line does that a description by independent laws leaves out."""

DAY = 24 * 3600.0
"""Length of a day. [s]"""
NIGHT = 16 * 3600.0
"""Time of the day from which a line with shifts starts nothing until midnight. [s]"""
CORRELATION = 0.5
"""Correlation of the normal scores of a machine's successive processing times."""
WEAR = 0.05
"""Relative growth of the mean of the worn station over a log."""
_REPLICATIONS = 20
_WARM_UP_RATIO = 0.1


@dataclass(frozen=True)
class KnownLaw:
    """A duration by family, mean and coefficient of variation."""

    family: Literal["exponential", "gamma", "lognormal", "weibull"]
    """Family of the law."""
    mean: float
    """Mean, above 0. [s]"""
    cv: float = 1.0
    """Standard deviation over mean; 0: a constant."""

    def draw(self, random: np.random.Generator, n: int) -> Floats:
        """Return independent values."""
        if self.cv == 0.0:
            return np.full(n, self.mean)
        if self.family == "exponential":
            return random.exponential(self.mean, n)
        if self.family == "gamma":
            shape = self.cv**-2
            return random.gamma(shape, self.mean / shape, n)
        if self.family == "lognormal":
            variance = math.log1p(self.cv**2)
            return random.lognormal(math.log(self.mean) - variance / 2, math.sqrt(variance), n)
        shape = weibull_shape(self.cv)
        return random.weibull(shape, n) * (self.mean / math.gamma(1 + 1 / shape))

    def at_scores(self, scores: Floats) -> Floats:
        """Return the quantiles at normal scores."""
        if self.cv == 0.0:
            return np.full(len(scores), self.mean)
        if self.family == "lognormal":
            variance = math.log1p(self.cv**2)
            location = math.log(self.mean) - variance / 2
            return np.exp(location + math.sqrt(variance) * scores)
        if self.family == "gamma":
            shape = self.cv**-2
            # The cube root is nearly linear in the score, so that a table is exact enough.
            nodes = np.linspace(-7.0, 7.0, 2801)
            roots = np.cbrt(special.gammaincinv(shape, special.ndtr(nodes)) / shape)
            return np.asarray(self.mean * np.interp(scores, nodes, roots) ** 3)
        shape = 1.0 if self.family == "exponential" else weibull_shape(self.cv)
        scale = self.mean / math.gamma(1 + 1 / shape)
        return np.asarray(scale * (-special.log_ndtr(-scores)) ** (1 / shape))

    def described(self) -> Duration:
        """Return the law as a factory description has it."""
        if self.cv == 0.0:
            return self.mean
        cv = None if self.family == "exponential" else self.cv
        return Distribution(distribution=self.family, mean=self.mean, cv=cv)


@dataclass(frozen=True)
class KnownStation:
    """A station with one machine, and the places in front of it."""

    name: str
    """Name of the station and of its machine."""
    time: KnownLaw
    """Processing time, without stops."""
    mtbf: float
    """Mean running time between two failures, exponential; infinite: it never fails. [s]"""
    repair: KnownLaw
    """Duration of a repair."""
    buffer: int
    """Places in front of it, for parts on their way and waiting; 0: handed over directly."""
    transfer: float
    """Time that a part is on its way to it; nothing without places. [s]"""


@dataclass(frozen=True)
class LineHistory:
    """What happened in a line; arrays have the shape (n_parts, n_stations) unless said."""

    names: tuple[str, ...]
    """Names of the stations, shape (n_stations,)."""
    start: Floats
    """When each part entered each machine. [s]"""
    finished: Floats
    """When its processing was over, repairs included; hidden in a log if it was blocked. [s]"""
    departure: Floats
    """When it left the machine. [s]"""
    processing: Floats
    """Processing times without stops. [s]"""
    failed_parts: tuple[NDArray[np.int64], ...]
    """For each station the number of the part that was in work at each failure."""
    repairs: tuple[Floats, ...]
    """For each station the duration of each repair. [s]"""

    @property
    def n_parts(self) -> int:
        """Number of parts."""
        return len(self.start)

    @property
    def is_blocked(self) -> NDArray[np.bool_]:
        """Whether a part had to wait in the machine for room."""
        return self.departure > self.finished

    @property
    def n_failures(self) -> NDArray[np.int64]:
        """Number of failures of each station, shape (n_stations,)."""
        return np.array([len(parts) for parts in self.failed_parts])

    def throughput(self, warm_up_ratio: float = _WARM_UP_RATIO) -> float:
        """Return parts finished per second after the first share of the parts."""
        last = self.departure[:, -1]
        first = int(warm_up_ratio * (len(last) - 1))
        return float((len(last) - 1 - first) / (last[-1] - last[first]))

    @functools.cached_property
    def visits(self) -> pl.DataFrame:
        """The log: columns case, activity, machine, station, start, end, success and row, by start.

        Cases are the numbers of the parts as text, ``end`` is the departure.
        """
        n_parts, n_stations = self.start.shape
        names = pl.Series(self.names, dtype=pl.String)
        # Unsigned 32-bit numbers are what polars gathers by.
        station = names.gather(np.tile(np.arange(n_stations, dtype=np.uint32), n_parts))
        case = pl.int_range(n_parts, eager=True).cast(pl.String)
        case = case.gather(np.repeat(np.arange(n_parts, dtype=np.uint32), n_stations))
        frame = pl.DataFrame(
            {
                "case": case,
                "activity": station,
                "machine": station,
                "station": station,
                "start": self.start.ravel(),
                "end": self.departure.ravel(),
            }
        )
        return (
            frame.sort("start", "end", maintain_order=True)
            .with_columns(success=pl.lit(None, dtype=pl.Boolean))
            .with_row_index("row", offset=2)
            .select(*frame.columns, "success", "row")
        )


@dataclass(frozen=True)
class RandomLine:
    """A serial line: endless supply in front, no blocking at the end, one machine at each station.

    Blocking after service; failures by running time, exponential, in the middle of a cycle that is
    finished afterwards.
    """

    stations: tuple[KnownStation, ...]
    """The stations in the order of the flow."""
    variant: Variant = "plain"
    """What it does besides: ``plain`` nothing; ``autocorrelated`` a machine's processing times
    depend on the ones before; ``shifts`` nothing starts from 16:00 to midnight; ``wear`` one
    station slows down."""
    worn: int = 0
    """Number of the station that slows down in the variant ``wear``."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stations."""
        return tuple(station.name for station in self.stations)

    @property
    def buffers(self) -> NDArray[np.int64]:
        """Places in front of each station, shape (n_stations,); the first has none."""
        return np.array([0, *(station.buffer for station in self.stations[1:])])

    @property
    def transfers(self) -> Floats:
        """Transfer times in s to each station, shape (n_stations,)."""
        moved = [station.transfer if station.buffer else 0.0 for station in self.stations[1:]]
        return np.array([0.0, *moved])

    def simulate(self, n_parts: int, seed: int = 1) -> LineHistory:
        """Return the history of the first parts through the line, which is empty at first.

        Parameters
        ----------
        n_parts : int
            Number of parts, at least 2.
        seed : int
            Same seed, same history; every station has its own random numbers.
        """
        shape = (n_parts, len(self.stations))
        processing, busy = np.empty(shape), np.empty(shape)
        failed: list[NDArray[np.int64]] = []
        repairs: list[Floats] = []
        for j, station in enumerate(self.stations):
            random = np.random.default_rng([seed, j])
            processing[:, j] = self._times(j, random, n_parts)
            at, lengths = _failures(station, processing[:, j], random)
            busy[:, j] = processing[:, j] + np.bincount(at, lengths, minlength=n_parts)
            failed.append(at)
            repairs.append(lengths)
        night = NIGHT if self.variant == "shifts" else DAY
        start, departure = serial_times(busy, self.transfers, self.buffers, night)
        return LineHistory(
            self.names, start, start + busy, departure, processing, tuple(failed), tuple(repairs)
        )

    def throughput(self, n_parts: int = 1_000_000, seed: int = 1) -> tuple[float, float]:
        """Return parts finished per second and the standard error.

        The parts go through in 20 independent batches; the first tenth of each is left out.

        Parameters
        ----------
        n_parts : int
            Number of parts in all batches together.
        seed : int
            Same seed, same result.
        """
        size = max(2, n_parts // _REPLICATIONS)
        rates = [
            self.simulate(size, _REPLICATIONS * seed + k).throughput() for k in range(_REPLICATIONS)
        ]
        return float(np.mean(rates)), float(np.std(rates, ddof=1) / math.sqrt(_REPLICATIONS))

    def factory(self) -> Factory:
        """Return the description of the line; what a variant does besides is not in it."""
        return Factory(
            name="random-line",
            stations={
                station.name: DiscreteStation(
                    time=station.time.described(),
                    stops=_stops(station),
                    buffer=Buffer(capacity=int(capacity), transfer=float(transfer)),
                )
                for station, capacity, transfer in zip(
                    self.stations, self.buffers, self.transfers, strict=True
                )
            },
        )

    def _times(self, j: int, random: np.random.Generator, n: int) -> Floats:
        law = self.stations[j].time
        if self.variant == "autocorrelated":
            noise = random.standard_normal(n)
            noise[1:] *= math.sqrt(1.0 - CORRELATION**2)
            return law.at_scores(signal.lfilter([1.0], [1.0, -CORRELATION], noise))
        times = law.draw(random, n)
        if self.variant == "wear" and j == self.worn:
            times *= 1.0 + WEAR * np.arange(n) / max(1, n - 1)
        return times


def random_line(  # noqa: PLR0913 - one range for each property that a line is drawn with
    seed: int,
    *,
    n_stations: tuple[int, int] = (4, 12),
    mean: tuple[float, float] = (8.0, 14.0),
    cv: tuple[float, float] = (0.03, 0.25),
    mtbf: tuple[float, float] = (300.0, 1500.0),
    repair: tuple[float, float] = (15.0, 90.0),
    buffer: tuple[int, int] = (1, 29),
    transfer: tuple[float, float] = (0.0, 5.0),
    variant: Variant = "plain",
) -> RandomLine:
    """Return a line drawn at random.

    Parameters
    ----------
    seed : int
        Same seed and ranges, same line.
    n_stations : tuple of int
        Fewest and most stations.
    mean, cv : tuple of float
        Ranges of the mean [s] and of the coefficient of variation (uniform in its logarithm) of
        the processing times.
    mtbf, repair : tuple of float
        Ranges of the mean running time between failures and of the mean repair time. [s]
    buffer : tuple of int
        Range of the number of places in front of a station.
    transfer : tuple of float
        Range of the transfer times. [s]
    variant : str
        What the line does besides, see `RandomLine`.

    Examples
    --------
    >>> line = random_line(1)
    >>> history = line.simulate(100)
    >>> history.visits.height == 100 * len(line.stations)
    True
    """
    random = np.random.default_rng(seed)
    n = int(random.integers(n_stations[0], n_stations[1], endpoint=True))
    stations = []
    for j in range(n):
        family = random.choice(["gamma", "lognormal", "weibull"])
        of_time = KnownLaw(
            cast("Literal['gamma', 'lognormal', 'weibull']", str(family)),
            float(random.uniform(*mean)),
            float(np.exp(random.uniform(math.log(cv[0]), math.log(cv[1])))),
        )
        of_repair = random.choice(["exponential", "lognormal", "gamma"])
        spread = float(random.uniform(0.5, 1.0))
        repair_law = KnownLaw(
            cast("Literal['exponential', 'lognormal', 'gamma']", str(of_repair)),
            float(random.uniform(*repair)),
            1.0 if of_repair == "exponential" else spread,
        )
        station = KnownStation(
            name=f"s{j + 1:02d}",
            time=of_time,
            mtbf=float(random.uniform(*mtbf)),
            repair=repair_law,
            buffer=int(random.integers(buffer[0], buffer[1], endpoint=True)),
            transfer=float(random.uniform(*transfer)),
        )
        stations.append(station if j else replace(station, buffer=0, transfer=0.0))
    return RandomLine(tuple(stations), variant, worn=int(random.integers(n)))


def weibull_shape(cv: float) -> float:
    """Return the shape of a Weibull law with a coefficient of variation above 0."""
    low, high = 0.2, 2.0 / cv + 2.0
    for _ in range(100):
        shape = (low + high) / 2
        found = math.expm1(math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape))
        low, high = (shape, high) if found > cv * cv else (low, shape)
    return (low + high) / 2


def _failures(
    station: KnownStation, processing: Floats, random: np.random.Generator
) -> tuple[NDArray[np.int64], Floats]:
    """Return the part in work at each failure, and the repair times."""
    running = np.cumsum(processing)
    if not math.isfinite(station.mtbf):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    expected = running[-1] / station.mtbf
    at = np.zeros(0)
    while at.size == 0 or at[-1] < running[-1]:
        size = 10 + int(expected + 4 * math.sqrt(expected))
        more = np.cumsum(random.exponential(station.mtbf, size))
        at = np.concatenate([at, more + (at[-1] if at.size else 0.0)])
    parts = np.searchsorted(running, at[at < running[-1]], side="right")
    return parts.astype(np.int64), station.repair.draw(random, len(parts))


def _stops(station: KnownStation) -> dict[str, Stop]:
    if not math.isfinite(station.mtbf):
        return {}
    every = Distribution(distribution="exponential", mean=station.mtbf)
    stop = Stop(kind="breakdown", every=every, duration=station.repair.described())
    return {"breakdown": stop}


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return cast("Callable[..., Any]", numba.njit(cache=True, nogil=True)(function))


def serial_times(
    busy: Floats, transfers: Floats, buffers: NDArray[np.int64], night: float = DAY
) -> tuple[Floats, Floats]:
    """Return when parts enter and leave the machines of a serial line.

    Parameters
    ----------
    busy : numpy.ndarray
        Time from start to end of processing, shape (n_parts, n_stations). [s]
    transfers : numpy.ndarray
        Transfer time to each station, shape (n_stations,). [s]
    buffers : numpy.ndarray
        Places in front of each station, int64, shape (n_stations,).
    night : float
        Time of the day from which nothing starts until midnight. [s]

    Returns
    -------
    tuple of numpy.ndarray
        Starts and departures, each of shape (n_parts, n_stations). [s]
    """
    start, departure = np.empty_like(busy), np.empty_like(busy)
    _recursion(busy, transfers, buffers, night, start, departure)
    return start, departure


@_compiled
def _recursion(  # noqa: PLR0913, PLR0917 - arrays of one loop
    busy: Floats,
    transfers: Floats,
    buffers: NDArray[np.int64],
    night: float,
    start: Floats,
    departure: Floats,
) -> None:
    n_parts, n_stations = busy.shape
    for i in range(n_parts):
        arrived = 0.0
        for j in range(n_stations):
            begin = arrived
            if i > 0:
                begin = max(begin, departure[i - 1, j])
            # Without places the part is still in the machine before, so that it waits there.
            if begin % DAY >= night:
                begin += DAY - begin % DAY
            start[i, j] = begin
            if j > 0 and buffers[j] == 0:
                departure[i, j - 1] = begin
            leave = begin + busy[i, j]
            if j + 1 < n_stations and buffers[j + 1] > 0:
                if i >= buffers[j + 1]:
                    leave = max(leave, start[i - buffers[j + 1], j + 1])
                arrived = leave + transfers[j + 1]
            else:
                arrived = leave
            departure[i, j] = leave
