"""Probability of the time of a visit: processing plus the repairs of breakdowns during it.

A visit takes X = P + R_1 + ... + R_N. The number N of breakdowns in a cycle of length P = p is
Poisson with mean p / MTBF, because breakdowns are exponential in running time. The probability of
each cell of a grid is

    sum over k of (f_P(p) Poisson(k; p / MTBF)) * f_R^(k),

with convolutions by fast Fourier transform. Processing times need fine cells and repairs a far
reach, so there are two grids: a fine one about the processing times, a coarse one beyond.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special
from scipy.interpolate import CubicSpline

from gigatwin.factory.durations import Family

Floats = NDArray[np.float64]

_CELLS_PER_SPREAD = 12.0
_SPREADS_BELOW, _SPREADS_ABOVE = 10.0, 14.0
_COARSE_CELLS = 800
_CELLS_IN_SHORT_STOP = 10.0
_MOST_COARSE_CELLS = 6000
_LEAST_TERMS, _MOST_TERMS = 3, 12
_NEGLIGIBLE = 1e-7
_NOTHING_BEYOND = 1e-12
# The exponential of minus its exponential is 0.
_CERTAIN = 50.0

_SHAPES = np.geomspace(0.2, 2e4, 400)
_CVS = np.sqrt(np.expm1(special.gammaln(1 + 2 / _SHAPES) - 2 * special.gammaln(1 + 1 / _SHAPES)))
_LOG_SHAPE = CubicSpline(np.log(_CVS[::-1]), np.log(_SHAPES[::-1]))


def distribution_function(law: Family, times: Floats, mean: float, cv: float = 1.0) -> Floats:
    """Return the distribution function of a duration given by its mean and variation.

    Parameters
    ----------
    law : str
        Family; ``cv`` does not matter for ``exponential``.
    times : ndarray
        Times; below 0 the result is 0. [s]
    mean : float
        Mean, above 0. [s]
    cv : float
        Standard deviation over mean, above 0.

    Examples
    --------
    >>> distribution_function("exponential", np.array([-1.0, 2.0]), 2.0).round(4).tolist()
    [0.0, 0.6321]
    """
    times = np.maximum(times, np.finfo(float).tiny)
    if law == "exponential":
        return np.asarray(-np.expm1(-times / mean))
    if law == "gamma":
        return np.asarray(special.gammainc(cv**-2, times / (mean * cv**2)))
    if law == "weibull":
        shape = weibull_shape(cv)
        scale = mean / special.gamma(1 + 1 / shape)
        exponents = np.minimum(shape * np.log(times / scale), _CERTAIN)
        return np.asarray(-np.expm1(-np.exp(exponents)))
    variance = np.log1p(cv**2)
    standard = (np.log(times / mean) + variance / 2) / np.sqrt(variance)
    return np.asarray(special.ndtr(standard))


def weibull_shape(cv: float) -> float:
    """Return the shape parameter of a Weibull law with this coefficient of variation."""
    return float(np.exp(_LOG_SHAPE(np.log(np.clip(cv, _CVS[-1], _CVS[0])))))


def draws(
    law: Family, generator: np.random.Generator, n: int, mean: float, cv: float = 1.0
) -> Floats:
    """Return random durations in s of a law given by its mean and variation."""
    if law == "exponential":
        return generator.exponential(mean, n)
    if law == "gamma":
        return generator.gamma(cv**-2, mean * cv**2, n)
    if law == "weibull":
        shape = weibull_shape(cv)
        return np.asarray(mean / special.gamma(1 + 1 / shape) * generator.weibull(shape, n))
    variance = np.log1p(cv**2)
    return generator.lognormal(np.log(mean) - variance / 2, np.sqrt(variance), n)


@dataclass(frozen=True)
class StopLaw:
    """One kind of stop: how often it comes and how long it lasts."""

    law: Family
    """Family of the repair times."""
    mean_between: float
    """Mean running time between two. [s]"""
    mean: float
    """Mean repair time. [s]"""
    cv: float = 1.0
    """Its standard deviation over mean."""


@dataclass(frozen=True)
class CycleGrid:
    """Cells that visits are counted in: fine ones about the processing times, then coarse ones."""

    low: float
    """Lower edge; cell 0 also takes everything below. [s]"""
    step: float
    """Width of a fine cell. [s]"""
    n_fine: int
    """Number of fine cells, a multiple of ``ratio``."""
    ratio: int
    """Fine cells in a coarse cell."""
    n_coarse: int
    """Number of coarse cells, counted from ``low`` as well."""
    n_terms: int
    """Largest number of stops in a cycle that is told apart; the last term takes the rest."""
    edges: Floats = field(init=False, repr=False, compare=False)
    """Edges of all cells, ascending. [s] Shape (n_cells + 1,)."""
    _to_coarse: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the edges, and how fine mass is shared by the two nearest coarse centres."""
        coarse = np.arange(self.n_fine // self.ratio + 1, self.n_coarse + 1) * self.ratio
        cells = np.concatenate((np.arange(self.n_fine + 1), coarse))
        object.__setattr__(self, "edges", self.low + cells * self.step)
        positions = (np.arange(self.n_fine) + 0.5) / self.ratio - 0.5
        lower = np.maximum(np.floor(positions).astype(int), 0)
        upper_share = np.clip(positions - lower, 0.0, 1.0)
        matrix = np.zeros((self.n_fine, self.n_fine // self.ratio + 1))
        rows = np.arange(self.n_fine)
        matrix[rows, lower] = 1 - upper_share
        matrix[rows, lower + 1] += upper_share
        object.__setattr__(self, "_to_coarse", matrix)

    @property
    def top_of_fine(self) -> float:
        """Upper edge of the fine cells in s."""
        return self.low + self.n_fine * self.step

    @property
    def n_cells(self) -> int:
        """Number of cells in all, fine ones first."""
        return self.n_fine + self.n_coarse - self.n_fine // self.ratio

    @property
    def fine_centres(self) -> Floats:
        """Centres of the fine cells in s."""
        return np.asarray(self.low + (np.arange(self.n_fine) + 0.5) * self.step)

    def cell_of(self, times: Floats) -> NDArray[np.int64]:
        """Return the cell of each time; ``n_cells`` for those above the last."""
        fine = np.floor((times - self.low) / self.step)
        coarse = np.floor(fine / self.ratio) + self.n_fine - self.n_fine // self.ratio
        cells = np.where(fine < self.n_fine, fine, coarse)
        return np.asarray(np.clip(cells, 0, self.n_cells), dtype=np.int64)

    def count(self, times: Floats) -> Floats:
        """Return the number of times in each cell, and above. Shape (n_cells + 1,)."""
        return np.bincount(self.cell_of(times), minlength=self.n_cells + 1).astype(float)

    def processing_masses(self, law: Family, mean: float, cv: float) -> Floats:
        """Return the probability of each cell without stops. Shape (n_cells,)."""
        cumulative = np.ones(self.n_cells + 1)
        fine = slice(0, self.n_fine + 1)
        cumulative[fine] = distribution_function(law, self.edges[fine], mean, cv)
        if cumulative[self.n_fine] < 1 - _NOTHING_BEYOND:
            beyond = slice(self.n_fine + 1, None)
            cumulative[beyond] = distribution_function(law, self.edges[beyond], mean, cv)
        masses = np.diff(cumulative)
        masses[0] += cumulative[0]
        return np.asarray(masses)

    def visit_masses(self, processing: Floats, stops: Sequence[StopLaw]) -> Floats:
        """Return the probability of each cell with stops.

        Parameters
        ----------
        processing : ndarray
            Probability of each cell without stops, from `processing_masses`. Shape (n_cells,).
        stops : sequence of StopLaw
            Kinds of stops; with several, each comes at its own rate.

        Returns
        -------
        ndarray
            Shape (n_cells,).
        """
        if not stops:
            return processing
        rates = np.array([1 / stop.mean_between for stop in stops])
        edges = self.edges
        masses = processing * np.exp(-rates.sum() * np.maximum((edges[1:] + edges[:-1]) / 2, 0.0))
        with_stops = self._terms(processing, float(rates.sum()))
        weights = rates / rates.sum()
        fine = self._repair_masses(stops, weights, self.step, self.n_fine)
        masses[: self.n_fine] += _compound(with_stops, fine)
        coarse = self._repair_masses(stops, weights, self.step * self.ratio, self.n_coarse)
        tail = _compound(with_stops @ self._to_coarse, coarse)
        masses[self.n_fine :] += tail[self.n_fine // self.ratio :]
        return np.asarray(masses)

    def repair_powers(self, stops: Sequence[StopLaw]) -> Floats:
        """Return fine masses of 0, 1, ... repairs together. Shape (n_terms + 1, n_fine)."""
        rates = np.array([1 / stop.mean_between for stop in stops])
        single = self._repair_masses(stops, rates / rates.sum(), self.step, self.n_fine)
        powers = np.zeros((self.n_terms + 1, self.n_fine))
        powers[0, 0] = 1.0
        for k in range(1, self.n_terms + 1):
            powers[k] = _convolved(powers[k - 1], single)
        return powers

    def number_of_stops(self, rate: float) -> Floats:
        """Return P(k stops in a cycle) for each fine cell. Shape (n_terms + 1, n_fine)."""
        expected = rate * np.maximum(self.fine_centres, 0.0)
        terms = np.empty((self.n_terms + 1, self.n_fine))
        terms[0] = np.exp(-expected)
        for k in range(1, self.n_terms):
            terms[k] = terms[k - 1] * expected / k
        terms[self.n_terms] = special.gammainc(self.n_terms, expected)
        return terms

    def _terms(self, processing: Floats, rate: float) -> Floats:
        lengths = processing[: self.n_fine].copy()
        lengths[-1] += processing[self.n_fine :].sum()
        return self.number_of_stops(rate)[1:] * lengths

    @staticmethod
    def _repair_masses(stops: Sequence[StopLaw], weights: Floats, step: float, n: int) -> Floats:
        # Repairs are rounded to whole steps, so that a sum falls on the centre of a cell.
        edges = np.asarray((np.arange(n) + 0.5) * step, dtype=np.float64)
        total = np.zeros(n)
        for stop, weight in zip(stops, weights, strict=True):
            cumulative = distribution_function(stop.law, edges, stop.mean, stop.cv)
            total += weight * np.diff(cumulative, prepend=0.0)
        return total


def _convolved(first: Floats, second: Floats) -> Floats:
    n = len(second)
    length = fft.next_fast_len(2 * n - 1, real=True)
    product = fft.rfft(first, length) * fft.rfft(second, length)
    return np.asarray(fft.irfft(product, length)[:n])


def _compound(terms: Floats, repairs: Floats) -> Floats:
    """Return sum over k of terms[k - 1] convolved k times with the repairs (Horner's scheme)."""
    n = len(repairs)
    length = fft.next_fast_len(2 * n - 1, real=True)
    transform = fft.rfft(repairs, length)
    spectra = fft.rfft(terms, length, axis=1)
    inner = spectra[-1]
    for spectrum in spectra[-2::-1]:
        # Cutting off what is beyond the reach keeps it from wrapping around.
        cut = fft.irfft(inner * transform, length)[:n]
        inner = fft.rfft(cut, length) + spectrum
    masses = fft.irfft(inner * transform, length)[:n]
    return np.asarray(np.maximum(masses, 0.0))


def make_grid(  # noqa: PLR0913 - what a grid depends on
    *,
    centre: float,
    spread: float,
    reach: float,
    expected_stops: float,
    resolution: float = 0.0,
    shortest_stop: float = np.inf,
) -> CycleGrid:
    """Return a grid fit for processing times and repairs.

    Parameters
    ----------
    centre : float
        Middle of the processing times. [s]
    spread : float
        Their scatter, above 0. [s]
    reach : float
        Longest visit. [s]
    expected_stops : float
        Rough number of stops in a cycle.
    resolution : float
        Smallest difference of two times in the log; 0: continuous. [s]
    shortest_stop : float
        Mean length of the shortest kind of stop, if known. [s]
    """
    step = spread / _CELLS_PER_SPREAD
    if resolution > 0:
        step = max(round(step / resolution), 1) * resolution
    low = max(centre - _SPREADS_BELOW * spread, 0.0)
    if resolution > 0:
        low = (np.floor(low / resolution) - 0.5) * resolution
    top = max(min(centre + _SPREADS_ABOVE * spread, reach + step), low + 8 * step)
    span = max(reach, top) - low
    n_coarse = min(
        max(_COARSE_CELLS, span / shortest_stop * _CELLS_IN_SHORT_STOP), _MOST_COARSE_CELLS
    )
    ratio = max(int(np.ceil(span / n_coarse / step)), 1)
    n_fine = int(np.ceil((top - low) / step / ratio)) * ratio
    n_coarse = max(int(np.floor((reach - low) / (step * ratio))) + 2, n_fine // ratio + 1)
    n_terms = _LEAST_TERMS
    while n_terms < _MOST_TERMS and special.gammainc(n_terms + 1, expected_stops) > _NEGLIGIBLE:
        n_terms += 1
    return CycleGrid(float(low), float(step), n_fine, ratio, n_coarse, n_terms)
