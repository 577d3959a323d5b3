"""Posterior of parameters by simulation alone: approximate Bayesian computation, in rounds.

A population of parameter values is drawn from the prior, simulated, and weighted towards those
whose summaries come close to the observed ones; each round replaces the worse half [1]_, [2]_ by
perturbed copies of the better half [3]_. The number of simulations is known beforehand.

References
----------
.. [1] M. Lenormand, F. Jabot, G. Deffuant, "Adaptive approximate Bayesian computation for complex
   models", *Computational Statistics* 28 (2013) 2777-2796.
.. [2] T. Toni et al., "Approximate Bayesian computation scheme for parameter inference and model
   selection in dynamical systems", *J. R. Soc. Interface* 6 (2009) 187-202.
.. [3] M. A. Beaumont et al., "Adaptive approximate Bayesian computation", *Biometrika* 96 (2009)
   983-990.
.. [4] M. A. Beaumont, W. Zhang, D. J. Balding, "Approximate Bayesian computation in population
   genetics", *Genetics* 162 (2002) 2025-2035.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gigatwin.errors import StudyError
from gigatwin.learning.threads import on_threads

Floats = NDArray[np.float64]
Simulate = Callable[[Floats, int], Floats]
"""From the logarithms of the parameters and a seed to the summaries, NaN where there are none."""
_LEAST_PARTICLES = 20
_TINY = 1e-12


class Law(Protocol):
    """Prior law of the logarithm of a parameter, as of ``scipy.stats.norm(0, 0.1)``."""

    def ppf(self, q: Floats) -> Floats:
        """Return quantiles."""

    def logpdf(self, x: Floats) -> Floats:
        """Return the logarithm of the density."""


Prior = Mapping[str, Law]
"""Parameter to the law of its logarithm; parameters are independent."""


@dataclass(frozen=True)
class Settings:
    """How the population is moved."""

    particles: int = 200
    """Size of the population."""
    rounds: int = 5
    """Rounds, the first one from the prior included."""
    kept: float = 0.5
    """Share of the population that a round keeps; its worst distance is the round's tolerance."""
    seed: int = 1
    """Chooses all random numbers."""
    threads: int | None = None
    """Number of threads; the result does not depend on it."""
    common_random_numbers: bool = False
    """Whether all simulations have the same seed. Less noise, but then the posterior leaves out
    the chance in what was observed."""
    adjusts: bool = True
    """Whether the sample is corrected by regression on the summaries [4]_."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        checks = (
            (self.particles >= _LEAST_PARTICLES, "particles", self.particles, "20 or more"),
            (self.rounds >= 1, "rounds", self.rounds, "1 or more"),
            (0 < self.kept < 1, "kept", self.kept, "between 0 and 1"),
        )
        for holds, name, found, required in checks:
            if not holds:
                message = f"abc_smc {name}: {found}; must be {required}."
                raise StudyError(message)


@dataclass(frozen=True)
class Posterior:
    """A weighted sample of parameters; values are logarithms."""

    names: tuple[str, ...]
    """Parameters."""
    sample: Floats
    """Logarithms of the parameters, shape (n, d)."""
    weights: Floats
    """Weight of each, summing to 1; shape (n,)."""
    tolerances: tuple[float, ...]
    """Distance within which each round kept the better part of its population."""
    effective_size: float
    """Number of equally weighted values with the same information."""
    n_simulations: int
    """Simulations made."""

    @property
    def mean(self) -> Floats:
        """Mean of the logarithms, shape (d,)."""
        return np.asarray(self.weights @ self.sample)

    @property
    def deviation(self) -> Floats:
        """Standard deviation of the logarithms, shape (d,)."""
        return np.asarray(np.sqrt(self.weights @ (self.sample - self.mean) ** 2))

    def quantile(self, probability: float) -> Floats:
        """Return a quantile of each logarithm, shape (d,)."""
        found = np.empty(self.sample.shape[1])
        for column, values in enumerate(self.sample.T):
            order = np.argsort(values, kind="stable")
            shares = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
            found[column] = np.interp(probability, shares, values[order])
        return found

    def draws(self, n: int, seed: int) -> Floats:
        """Return equally weighted draws from the sample, shape (n, d)."""
        random = np.random.default_rng(seed)
        return self.sample[random.choice(len(self.sample), size=n, p=self.weights)]


def abc_smc(  # noqa: PLR0913, PLR0917 - what is estimated, from what, and how
    prior: Prior,
    simulate: Simulate,
    observed: Floats,
    scale: Floats,
    settings: Settings | None = None,
    done: Callable[[], None] | None = None,
) -> Posterior:
    """Return the posterior of parameters from simulated summaries.

    Parameters
    ----------
    prior : mapping
        Parameter to the prior law of its logarithm.
    simulate : callable
        From logarithms of the parameters, shape (d,), and a seed to summaries, shape (m,). It is
        called from several threads.
    observed : ndarray
        Observed summaries, shape (m,).
    scale : ndarray
        Standard error of each summary, above 0; distances are measured in it. Shape (m,).
    settings : Settings, optional
        How the population is moved.
    done : callable, optional
        Called after each simulation, of which there are ``particles`` in the first round and
        ``particles * (1 - kept)`` in each other one.

    Raises
    ------
    StudyError
        If hardly any simulation gives summaries.
    """
    settings = settings or Settings()
    names, laws = tuple(prior), tuple(prior.values())
    random = np.random.default_rng(settings.seed)
    population = _Population(simulate, observed, scale, settings, done)
    uniforms = random.random((settings.particles, len(laws)))
    sample = np.column_stack([law.ppf(uniforms[:, j]) for j, law in enumerate(laws)])
    population.add(sample, np.ones(len(sample)))
    n_kept = max(2, round(settings.particles * settings.kept))
    tolerances = [population.keep(n_kept)]
    for _ in range(settings.rounds - 1):
        proposed, densities = _proposed(random, population, settings.particles - n_kept)
        logs = sum((law.logpdf(proposed[:, j]) for j, law in enumerate(laws)), np.zeros(1))
        # Outside the prior nothing is simulated.
        weights = np.exp(np.asarray(logs)) / densities
        population.add(proposed[weights > 0], weights[weights > 0])
        tolerances.append(population.keep(n_kept))
    weights = population.weights / population.weights.sum()
    if settings.adjusts:
        sample, weights = _adjusted(population, observed, scale, weights)
    else:
        sample = population.sample
    return Posterior(
        names=names,
        sample=sample,
        weights=weights,
        tolerances=tuple(tolerances),
        effective_size=float(1 / (weights**2).sum()),
        n_simulations=population.n_simulations,
    )


class _Population:
    """Parameters with their weights, summaries and distances."""

    def __init__(
        self,
        simulate: Simulate,
        observed: Floats,
        scale: Floats,
        settings: Settings,
        done: Callable[[], None] | None,
    ) -> None:
        self._simulate = simulate
        self._observed, self._scale = observed, scale
        self._settings, self._done = settings, done
        self.n_simulations = 0
        self.sample = np.empty((0, 0))
        self.weights = np.empty(0)
        self.summaries = np.empty((0, len(observed)))
        self.distances = np.empty(0)

    def add(self, sample: Floats, weights: Floats) -> None:
        """Simulate more parameters; those without summaries are dropped."""
        settings = self._settings
        first = self.n_simulations
        self.n_simulations += len(sample)
        common = settings.common_random_numbers

        def one(k: int, check: Callable[[], None]) -> Floats:
            check()
            seed = settings.seed if common else _seed(settings.seed, first + k)
            return self._simulate(sample[k], seed)

        found = on_threads(one, range(len(sample)), settings.threads, self._done)
        summaries = np.asarray(found, dtype=np.float64).reshape(len(sample), len(self._observed))
        distances = np.sqrt((((summaries - self._observed) / self._scale) ** 2).sum(axis=1))
        usable = np.isfinite(distances)
        is_new = self.sample.size == 0
        self.sample = sample[usable] if is_new else np.concatenate((self.sample, sample[usable]))
        self.weights = np.concatenate((self.weights, weights[usable]))
        self.summaries = np.concatenate((self.summaries, summaries[usable]))
        self.distances = np.concatenate((self.distances, distances[usable]))
        if len(self.distances) < _LEAST_PARTICLES // 2:
            message = (
                f"abc_smc: {len(self.distances)} of {self.n_simulations} simulations gave all "
                "summaries; most must. Use a narrower prior, or a longer log."
            )
            raise StudyError(message)

    def keep(self, n: int) -> float:
        """Keep the n closest; return the distance of the last one."""
        order = np.sort(np.argsort(self.distances, kind="stable")[:n])
        self.sample, self.weights = self.sample[order], self.weights[order]
        self.summaries, self.distances = self.summaries[order], self.distances[order]
        return float(self.distances.max())


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _proposed(
    random: np.random.Generator, population: _Population, n: int
) -> tuple[Floats, Floats]:
    """Return perturbed copies of the population, and the density they were drawn with.

    Each component is moved by a normal law with twice its weighted variance.
    """
    weights = population.weights / population.weights.sum()
    sample = population.sample
    mean = weights @ sample
    deviation = np.sqrt(2 * (weights @ (sample - mean) ** 2)) + _TINY
    chosen = random.choice(len(sample), size=n, p=weights)
    proposed = sample[chosen] + random.normal(size=(n, sample.shape[1])) * deviation
    apart = (proposed[:, None, :] - sample[None, :, :]) / deviation
    kernels = np.exp(-0.5 * (apart**2).sum(axis=2)) / np.prod(deviation * np.sqrt(2 * np.pi))
    return proposed, np.asarray(kernels @ weights)


def _adjusted(
    population: _Population, observed: Floats, scale: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """Return the sample as it would be with the observed summaries, by local linear regression."""
    apart = (population.summaries - observed) / scale
    reach = float(population.distances.max())
    # Epanechnikov weights favour close summaries; the farthest keeps a little.
    near = 1 - (population.distances / (1.05 * reach + _TINY)) ** 2
    local = weights * near
    local = local / local.sum()
    centre = local @ population.sample
    middle = local @ apart
    x, y = apart - middle, population.sample - centre
    gram = x.T @ (x * local[:, None])
    # A little ridge, because summaries may say the same.
    gram += np.eye(len(gram)) * (1e-3 * np.trace(gram) / len(gram) + _TINY)
    slopes = np.linalg.solve(gram, x.T @ (y * local[:, None]))
    return population.sample - apart @ slopes, local
