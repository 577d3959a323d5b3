"""What was learned of a station's visits: the processing time, the stops, and how it was chosen."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from gigatwin.factory.durations import Distribution, Duration, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stops import Stop
from gigatwin.learning.times.cycle_density import Floats, StopLaw, draws, make_grid
from gigatwin.learning.times.cycle_search import FamilyScore
from gigatwin.learning.times.stops import StopFit

_LEAST_RELATIVE_SPREAD = 1e-4
_FAR = 60.0


@dataclass(frozen=True)
class CycleFit:
    """Laws of a station's visits, with how well they are known."""

    law: Duration
    """Processing time, or the whole visit where stops cannot be told apart."""
    mean: Estimate
    """Mean of ``law``. [s]"""
    stops: tuple[StopFit, ...]
    """Breakdowns and micro-stops."""
    n: int
    """Number of visits used."""
    n_censored: int
    """Those known only as an upper bound."""
    reason: str
    """Why this law was chosen."""
    considered: tuple[FamilyScore, ...] = ()
    """What it was chosen from."""
    scatter: float = 0.0
    """Standard deviation of a law that is given as a constant. [s]"""
    kolmogorov_smirnov: float | None = None
    """Largest difference from the observed distribution function."""
    p_value: float | None = None
    """Probability of such a difference if the fit were right (asymptotic); a hint only."""
    long_pauses: tuple[float, ...] = ()
    """Visits left out because they are hours longer than all others, e.g. over a night. [s]"""
    notes: tuple[str, ...] = ()
    """What a reader has to know."""

    def to_stops(self) -> dict[str, Stop]:
        """Return the stops as a factory description has them."""
        return {stop.kind: stop.to_stop() for stop in self.stops}

    def table(self) -> pl.DataFrame:
        """Return one row for each choice of families that was considered."""
        schema = {
            "processing": pl.String,
            "repairs": pl.String,
            "n_parameters": pl.Int64,
            "log_likelihood": pl.Float64,
            "aic": pl.Float64,
            "bic": pl.Float64,
            "held_out": pl.Float64,
        }
        return pl.DataFrame([vars(score) for score in self.considered], schema=schema)

    def sample(self, generator: np.random.Generator, n: int) -> Floats:
        """Return random times in s of visits that are never blocked."""
        processing = _draw(self.law, generator, n)
        if self.scatter > 0:
            processing = np.maximum(processing + generator.normal(0.0, self.scatter, n), 0.0)
        total = processing.copy()
        for stop in self.stops:
            numbers = generator.poisson(processing / stop.mean_between.value)
            lengths = _draw(stop.duration, generator, int(numbers.sum()))
            total += np.bincount(np.repeat(np.arange(n), numbers), lengths, minlength=n)
        return total

    def cdf(self, times: Floats) -> Floats:
        """Return the distribution function of visits that are never blocked."""
        times = np.asarray(times, dtype=np.float64)
        if not self.stops and not isinstance(self.law, Distribution) and self.scatter <= 0:
            samples = np.array([self.law_mean])
            if isinstance(self.law, Empirical):
                samples = np.sort(np.asarray(self.law.samples))
            return np.asarray(np.searchsorted(samples, times, side="right") / len(samples))
        spread = max(self.law_spread, _LEAST_RELATIVE_SPREAD * self.law_mean)
        stops = tuple(_stop_law(stop) for stop in self.stops)
        farthest = self.law_mean + _FAR * (spread + sum(stop.mean for stop in stops))
        grid = make_grid(
            centre=self.law_mean,
            spread=spread,
            reach=max(min(float(np.max(times, initial=0.0)), farthest), self.law_mean + spread),
            expected_stops=self.law_mean * sum(1 / stop.mean_between for stop in stops),
            shortest_stop=min((stop.mean for stop in stops), default=math.inf),
        )
        if isinstance(self.law, Distribution):
            cv = 1.0 if self.law.cv is None else self.law.cv
            masses = grid.processing_masses(self.law.distribution, self.law.mean, cv)
        elif isinstance(self.law, Empirical):
            masses = grid.count(np.asarray(self.law.samples))[:-1] / len(self.law.samples or ())
        else:
            masses = grid.processing_masses("lognormal", self.law_mean, spread / self.law_mean)
        cumulative = np.concatenate(([0.0], np.cumsum(grid.visit_masses(masses, stops))))
        found = np.interp(times, grid.edges, np.minimum(cumulative, 1.0), left=0.0)
        return np.asarray(np.where(times > grid.edges[-1], 1.0, found))

    @property
    def law_mean(self) -> float:
        """Mean of ``law`` in s."""
        if isinstance(self.law, Distribution):
            return self.law.mean
        if isinstance(self.law, Empirical):
            return float(np.mean(self.law.samples or (0.0,)))
        return self.mean.value

    @property
    def law_spread(self) -> float:
        """Standard deviation in s of ``law``, or the scatter about a constant."""
        if isinstance(self.law, Distribution):
            return self.law.mean * (1.0 if self.law.cv is None else self.law.cv)
        if isinstance(self.law, Empirical):
            return float(np.std(self.law.samples or (0.0,)))
        return self.scatter


def _draw(law: Duration, generator: np.random.Generator, n: int) -> Floats:
    if isinstance(law, Distribution):
        return draws(law.distribution, generator, n, law.mean, law.cv or 1.0)
    if isinstance(law, Empirical):
        return generator.choice(np.asarray(law.samples), n)
    return np.full(n, float(law))  # type: ignore[arg-type]  # what is left is a number


def _stop_law(stop: StopFit) -> StopLaw:
    law = stop.duration
    if not isinstance(law, Distribution):
        message = f"The repair law is {law!r}; needs a distribution"
        raise TypeError(message)
    return StopLaw(law.distribution, stop.mean_between.value, law.mean, law.cv or 1.0)
