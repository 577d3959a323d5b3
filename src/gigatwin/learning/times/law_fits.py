"""Maximum-likelihood fits of families of durations, also to censored values."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from gigatwin.factory.durations import Distribution, Duration, Empirical, Family

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bound = Literal["upper", "lower"]
"""Whether a censored value is an upper or a lower bound of the duration."""

FAMILIES: tuple[Family, ...] = get_args(Family)
_MAXIMUM_CV = 10.0
_MINIMUM_CV = 1e-4
_LEAST_SHAPE, _MOST_SHAPE = 0.05, 1e5
_SEARCHED_POINTS = 1000
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class FamilyFit:
    """A family fitted to observations."""

    family: Family
    """Family of the law."""
    shape: float
    """Shape of gamma and Weibull, deviation of the logarithm of lognormal, 1 of exponential."""
    scale: float
    """Scale; of lognormal the median. [s]"""
    log_likelihood: float
    """Logarithm of the likelihood."""

    @property
    def n_parameters(self) -> int:
        """Number of fitted numbers."""
        return 1 if self.family == "exponential" else 2

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def mean(self) -> float:
        """Mean, in s."""
        match self.family:
            case "exponential":
                return self.scale
            case "gamma":
                return self.scale * self.shape
            case "lognormal":
                return self.scale * math.exp(self.shape**2 / 2)
            case "weibull":
                return self.scale * math.gamma(1 + 1 / self.shape)

    @property
    def cv(self) -> float:
        """Standard deviation over mean."""
        match self.family:
            case "exponential":
                return 1.0
            case "gamma":
                return 1 / math.sqrt(self.shape)
            case "lognormal":
                return math.sqrt(math.expm1(self.shape**2))
            case "weibull":
                log_ratio = math.lgamma(1 + 2 / self.shape) - 2 * math.lgamma(1 + 1 / self.shape)
                return math.sqrt(math.expm1(log_ratio))

    def law(self) -> Distribution:
        """Return the law for a description, with six digits as estimates have."""
        mean = float(f"{self.mean:.6g}")
        if self.family == "exponential":
            return Distribution(distribution="exponential", mean=mean)
        cv = float(f"{self.cv:.6g}")
        return Distribution(distribution=self.family, mean=mean, cv=cv)

    def quantiles(self, probabilities: Array) -> Array:
        """Return the durations that are not exceeded with these probabilities, in s."""
        return _quantiles(self.family, self.shape, self.scale, probabilities)


def fit_family(
    family: Family,
    values: Array,
    weights: Array | None = None,
    is_bound: Flags | None = None,
    bound: Bound = "upper",
) -> FamilyFit | None:
    """Return the most likely law of a family.

    Parameters
    ----------
    family : str
        Family of the law.
    values : ndarray
        Durations, all above 0. Shape (n,). [s]
    weights : ndarray, optional
        Weights; their sum counts as the number of observations. Shape (n,).
    is_bound : ndarray, optional
        Which values are only bounds of the duration. Shape (n,).
    bound : str
        Whether those are upper bounds (the time includes a wait) or lower bounds (it was cut off).

    Returns
    -------
    FamilyFit or None
        None if nothing is exact, or the best law lies outside what a description can hold.
    """
    mass = np.ones(len(values)) if weights is None else weights
    censored = np.zeros(len(values), dtype=np.bool_) if is_bound is None else is_bound
    exact = float(mass[~censored].sum())
    if exact <= 0 or float(values.min()) <= 0:
        return None
    if bound == "upper" and censored.any():
        found = _optimised(family, values, mass, censored)
    elif family == "exponential":
        found = 1.0, _dot(mass, values) / exact
    elif family == "weibull":
        found = _weibull(values, mass, censored)
    elif censored.any():
        found = _optimised(family, values, mass, censored, is_lower=True)
    else:
        found = _closed(family, values, mass)
    if found is None or not (math.isfinite(found[0]) and found[0] > 0 and found[1] > 0):
        return None
    shape, scale = found
    densities = _log_density(family, shape, scale, values[~censored])
    likelihood = _dot(mass[~censored], densities)
    if censored.any():
        tails = _log_tail(family, shape, scale, values[censored], is_lower=bound == "lower")
        likelihood += _dot(mass[censored], tails)
    fit = FamilyFit(family, shape, scale, likelihood)
    # A shape near the edge overflows the moments.
    if family == "weibull" and shape < 1 / _MAXIMUM_CV:
        return None
    if family == "lognormal" and shape > _MAXIMUM_CV:
        return None
    return fit if _MINIMUM_CV <= fit.cv <= _MAXIMUM_CV else None


def law_quantiles(law: Duration, n: int = 400) -> Array:
    """Return equally likely values of a law, each from the middle of its share, in s."""
    middles = (np.arange(n) + 0.5) / n
    match law:
        case Distribution():
            shape, scale = _shape_and_scale(law)
            return _quantiles(law.distribution, shape, scale, middles)
        case Empirical(samples=None):
            values = np.asarray(law.quantiles)
            return np.asarray(np.interp(middles, np.linspace(0, 1, len(values)), values))
        case Empirical():
            return np.sort(np.asarray(law.samples))
        case int() | float():
            return np.asarray([float(law)])
        case _:
            if law.distribution == "uniform":
                return np.asarray(law.low + (law.high - law.low) * middles)
            width = law.high - law.low
            rise = (law.mode - law.low) / width
            left = law.low + np.sqrt(middles * width * (law.mode - law.low))
            right = law.high - np.sqrt((1 - middles) * width * (law.high - law.mode))
            return np.asarray(np.where(middles < rise, left, right))


def weibull_shape(cv: float) -> float:
    """Return the shape of the Weibull law with this coefficient of variation."""

    def excess(log_shape: float) -> float:
        power = math.exp(-log_shape)
        return math.lgamma(1 + 2 * power) - 2 * math.lgamma(1 + power) - math.log1p(cv * cv)

    return math.exp(float(optimize.brentq(excess, math.log(_LEAST_SHAPE), math.log(_MOST_SHAPE))))


def _shape_and_scale(law: Distribution) -> tuple[float, float]:
    cv = 1.0 if law.cv is None else law.cv
    match law.distribution:
        case "exponential":
            return 1.0, law.mean
        case "gamma":
            return 1 / cv**2, law.mean * cv**2
        case "lognormal":
            deviation = math.sqrt(math.log1p(cv * cv))
            return deviation, law.mean * math.exp(-(deviation**2) / 2)
        case "weibull":
            shape = weibull_shape(cv)
            return shape, law.mean / math.gamma(1 + 1 / shape)


def _quantiles(family: Family, shape: float, scale: float, probabilities: Array) -> Array:
    match family:
        case "exponential":
            found = -np.log1p(-probabilities)
        case "gamma":
            found = special.gammaincinv(shape, probabilities)
        case "lognormal":
            found = np.exp(shape * special.ndtri(probabilities))
        case "weibull":
            found = (-np.log1p(-probabilities)) ** (1 / shape)
    return np.asarray(scale * found)


def _log_density(family: Family, shape: float, scale: float, values: Array) -> Array:
    ratios = values / scale
    match family:
        case "exponential":
            found = -ratios - math.log(scale)
        case "gamma":
            found = (shape - 1) * np.log(ratios) - ratios - special.gammaln(shape) - math.log(scale)
        case "lognormal":
            scores = np.log(ratios) / shape
            found = -0.5 * scores**2 - np.log(values) - math.log(shape * math.sqrt(2 * math.pi))
        case "weibull":
            logs = np.log(ratios)
            # Beyond exp(600) the density is 0 anyway.
            found = math.log(shape / scale) + (shape - 1) * logs
            found = found - np.exp(np.minimum(shape * logs, 600.0))
    return np.asarray(found)


def _log_tail(
    family: Family, shape: float, scale: float, values: Array, *, is_lower: bool
) -> Array:
    """Return the logarithm of the probability to lie above (lower bounds) or below the values."""
    ratios = values / scale
    match family:
        case "gamma":
            share = (
                special.gammaincc(shape, ratios) if is_lower else special.gammainc(shape, ratios)
            )
            return np.asarray(np.log(np.maximum(share, 1e-300)))
        case "lognormal":
            scores = np.log(ratios) / shape
            return np.asarray(special.log_ndtr(-scores if is_lower else scores))
        case _:
            hazard = np.exp(np.minimum(shape * np.log(ratios), 600.0))
            return np.asarray(
                -hazard if is_lower else np.log(np.maximum(-np.expm1(-hazard), 1e-300))
            )


def _closed(family: Family, values: Array, mass: Array) -> tuple[float, float] | None:
    """Fit gamma or lognormal from means of values and logarithms."""
    total = float(mass.sum())
    logs = np.log(values)
    centre = _dot(mass, logs) / total
    if family == "lognormal":
        return math.sqrt(_dot(mass, (logs - centre) ** 2) / total), math.exp(centre)
    mean = _dot(mass, values) / total
    gap = math.log(mean) - centre
    if gap <= 0:
        return None
    # Minka's start and generalised Newton steps ("Estimating a gamma distribution", 2002).
    shape = (3 - gap + math.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
    for _ in range(20):
        step = math.log(shape) - float(special.digamma(shape)) - gap
        slope = shape * (1 / shape - float(special.polygamma(1, shape)))
        new = 1 / (1 / shape + step / (shape * slope))
        if not new > 0 or abs(new - shape) < _TOLERANCE * shape:
            break
        shape = new
    return shape, mean / shape


def _weibull(values: Array, mass: Array, censored: Flags) -> tuple[float, float] | None:
    """Fit Weibull to exact values and lower bounds by its one equation for the shape."""
    largest = float(values.max())
    logs = np.log(values / largest)
    exact = float(mass[~censored].sum())
    centre = _dot(mass[~censored], logs[~censored]) / exact
    squared = logs * logs
    shape = 1.0
    for _ in range(100):
        powers = mass * np.exp(shape * logs)
        zeroth, first, second = float(powers.sum()), _dot(powers, logs), _dot(powers, squared)
        ratio = first / zeroth
        miss = ratio - 1 / shape - centre
        slope = second / zeroth - ratio**2 + 1 / shape**2
        # In the logarithm of the shape, so that it stays above 0.
        step = max(-1.0, min(1.0, -miss / (slope * shape)))
        shape *= math.exp(step)
        if not _LEAST_SHAPE < shape < _MOST_SHAPE:
            return None
        if abs(step) < _TOLERANCE:
            break
    total = _dot(mass, np.exp(shape * logs))
    return shape, largest * (total / exact) ** (1 / shape)


def _optimised(
    family: Family, values: Array, mass: Array, censored: Flags, *, is_lower: bool = False
) -> tuple[float, float] | None:
    """Fit any family to censored values by direct search, on part of them."""
    parts = []
    for part in (~censored, censored):
        order = np.argsort(values[part], kind="stable")
        step = max(1, len(order) // _SEARCHED_POINTS)
        chosen = order[step // 2 :: step] if len(order) else order
        kept = mass[part][chosen]
        scale = float(mass[part].sum()) / float(kept.sum()) if len(kept) else 1.0
        parts.append((values[part][chosen], kept * scale))
    (exact, exact_mass), (bounds, bound_mass) = parts

    def loss(point: Array) -> float:
        shape = 1.0 if family == "exponential" else math.exp(min(max(point[1], -7.0), 12.0))
        scale = math.exp(min(max(point[0], -300.0), 300.0))
        fitted = float(exact_mass @ _log_density(family, shape, scale, exact))
        return -fitted - float(
            bound_mass @ _log_tail(family, shape, scale, bounds, is_lower=is_lower)
        )

    start = _closed("lognormal", exact, exact_mass)
    if start is None or start[0] <= 0:
        return None
    deviation, median = max(start[0], 1e-3), start[1]
    if family == "lognormal":
        first = [math.log(median), math.log(deviation)]
    elif family == "gamma":
        first = [math.log(median * deviation**2), -2 * math.log(deviation)]
    else:
        first = [math.log(median), math.log(1.2 / deviation)]
    first = first[:1] if family == "exponential" else first
    search: Callable[..., optimize.OptimizeResult] = optimize.minimize
    found = search(loss, first, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-6})
    shape = 1.0 if family == "exponential" else math.exp(min(max(found.x[1], -7.0), 12.0))
    return shape, math.exp(min(max(found.x[0], -300.0), 300.0))


def _dot(first: Array, second: Array) -> float:
    # A product by the linear-algebra library starts threads, which take longer than the sum.
    return float(np.einsum("i,i", first, second))
