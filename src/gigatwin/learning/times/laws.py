"""Choice of a law of durations: constant, family, mixture or sample, by what it foretells.

Families are compared among themselves by Akaike's criterion. Kinds are compared by the continuous
ranked probability score (CRPS) of later observations: each law is fitted to the observations up to
a moment and scored on the block that follows, so that drift counts against a law that ignores it.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.errors import TelemetryError
from gigatwin.factory.durations import Distribution, Duration, Empirical, Family
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.durations import (
    FEW,
    NEARLY_CONSTANT,
    cv_estimate,
    mean_estimate,
    rounded,
    sameness,
    thinned,
)
from gigatwin.learning.times.law_fits import FAMILIES, Bound, FamilyFit, fit_family
from gigatwin.learning.times.law_scores import bound_weights, crps, distances
from gigatwin.learning.times.mixture_fits import MixtureFit, fit_mixture

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

HALF_LIVES = (1.0, 0.5, 0.25, 0.125, 0.06)
"""Half-lives of the weights of recent samples that are tried, over the number of observations."""
_N_BLOCKS = 8
_FIRST_SHARE = 0.3
_LEAST_PER_BLOCK = 3
_MOST_SCORED = 4000
_LEAST_FOR_RECENT = 40
_LEAST_HALF_LIFE = 5
_CLEARLY_BETTER = 10.0
_POINTS = 200
# A recent sample must win by half the standard error of its gain over the blocks: on samples
# without drift this costs 0.4 % of the score at 70 observations and 0.1 % at 300 (own trial).
_LEAST_GAIN = 0.5
# A family is preferred to a sample that is better by less, because it has few numbers.
_INDIFFERENT = 1.002
_MUCH = 0.01
_KOLMOGOROV = 1.63
_SCHEMA = {
    "kind": pl.String,
    "n_parameters": pl.Int64,
    "aic": pl.Float64,
    "crps": pl.Float64,
    "ks": pl.Float64,
    "wasserstein": pl.Float64,
}


@dataclass(frozen=True)
class LawChoice:
    """A law with what it rests on."""

    law: Duration
    """The law; its estimates stand beside it unless it is a constant."""
    kind: str
    """``constant``, ``sample``, ``recent sample``, a family, or ``mixture of 2`` (or 3)."""
    reason: str
    """Why this one, in a sentence."""
    table: pl.DataFrame
    """Columns kind, n_parameters, aic and, held out, crps, ks and wasserstein (null where a kind
    was not scored), one row for each law that was tried."""
    mean: Estimate
    """Mean. [s]"""
    cv: Estimate
    """Standard deviation over mean."""
    notes: tuple[str, ...] = ()
    """What to know about it."""

    @property
    def is_identified(self) -> bool:
        """Whether there are 10 observations and the mean is known to within 10 %."""
        return self.mean.is_identified


@dataclass(frozen=True)
class _Sample:
    """Observations in the order of time."""

    values: Array
    counts: Array
    """Weights as given."""
    is_bound: Flags
    weights: Array
    """Weights of the exact values after the bounds handed theirs on; 0 for bounds."""
    bound: Bound

    def part(self, chosen: slice | NDArray[np.intp]) -> "_Sample":
        return _Sample(
            self.values[chosen],
            self.counts[chosen],
            self.is_bound[chosen],
            self.weights[chosen],
            self.bound,
        )

    def exact(self, half_life: float | None = None) -> tuple[Array, Array]:
        """Return the exact values and their weights, lower in the past with a half-life."""
        weights = self.weights
        if half_life is not None:
            n = len(weights)
            weights = weights * 0.5 ** (np.arange(n)[::-1] / (half_life * n))
        return self.values[~self.is_bound], weights[~self.is_bound]


@dataclass(frozen=True)
class _Candidate:
    kind: str
    aic: float | None = None
    half_life: float | None = None
    fit: FamilyFit | MixtureFit | None = None

    def foretell(self, past: _Sample) -> Array | None:
        """Return equally likely values of the law as fitted to a part of the sample."""
        values, weights = past.exact(self.half_life)
        if len(values) < _LEAST_PER_BLOCK:
            return None
        fit: FamilyFit | MixtureFit | None
        match self.fit:
            case None:
                is_even = self.half_life is None and np.ptp(weights) == 0
                return thinned(values, _POINTS, None if is_even else weights)
            case FamilyFit():
                fit = _fitted(self.fit.family, past)
            case _:
                fit = fit_mixture(values, len(self.fit.shares), weights)
        return None if fit is None else fit.quantiles((np.arange(_POINTS) + 0.5) / _POINTS)


@dataclass(frozen=True)
class _Scores:
    """Held-out scores of a candidate, one for each block."""

    crps: Array
    ks: Array
    wasserstein: Array


def choose_law(  # noqa: PLR0913 - what is known of the observations
    values: Array,
    *,
    times: Array | None = None,
    weights: Array | None = None,
    is_upper_bound: Flags | None = None,
    is_lower_bound: Flags | None = None,
    rows: str = "",
    unit: str = "s",
) -> LawChoice:
    """Choose a law for observed durations.

    Parameters
    ----------
    values : ndarray
        Durations; those that are not finite or below 0 are left out with a note. Shape (n,). [s]
    times : ndarray, optional
        When they were observed; left out, they are in the order of time. Shape (n,). [s]
    weights : ndarray, optional
        Weights of the observations. Shape (n,).
    is_upper_bound : ndarray, optional
        Which values are only upper bounds, such as a time that includes blocking. Shape (n,).
    is_lower_bound : ndarray, optional
        Which values are only lower bounds, such as a repair that the record cuts off. Not together
        with upper bounds. Shape (n,).
    rows, unit : str
        For the estimates.

    Returns
    -------
    LawChoice
        The law, and why.

    Raises
    ------
    TelemetryError
        If no usable value is left, all are only bounds, or there are bounds of both kinds.
    """
    sample, notes = _prepared(values, times, weights, is_upper_bound, is_lower_bound)
    exact, mass = sample.exact()
    n = len(exact)
    mean, cv = _estimates(sample, None, unit, rows)
    same = sameness(exact, cv.value, unit)
    if same is not None:
        law: Duration = rounded(np.asarray([mean.value]))[0]
        reason = f"Constant, because {same}."
        return LawChoice(law, "constant", reason, _table([], {}), mean, cv, notes)
    if n < FEW:
        law = _sample_law(exact, mass, mean)
        reason = f"Sample, because {n} observations are too few to compare laws."
        notes = (*notes, f"Not identified: {n} observations, fewer than {FEW}.")
        mean = mean.model_copy(update={"is_identified": False})
        return LawChoice(law, "sample", reason, _table([], {}), mean, cv, notes)
    if cv.value < NEARLY_CONSTANT:
        jitter = f"Nearly constant: {mean.value:.5g} {unit} with a scatter of {cv.value:.2%}."
        notes = (*notes, jitter)
    candidates = _candidates(sample, mean, is_jitter=cv.value < NEARLY_CONSTANT)
    scored = _scored(sample, _finalists(candidates, n))
    chosen = _best(scored)
    mean, cv = _estimates(sample, chosen.half_life, unit, rows)
    law = _law(chosen, sample, mean)
    if chosen.fit is not None:
        mean = _moved(mean, chosen.fit.mean)
        if isinstance(chosen.fit, FamilyFit):
            cv = _moved(cv, chosen.fit.cv)
    if isinstance(law, Distribution | Empirical):
        known = {"mean": mean}
        if isinstance(law, Distribution) and law.cv is not None:
            known["cv"] = cv
        law = law.model_copy(update={"estimates": known})
    table = _table(candidates, scored)
    notes = (*notes, *_warnings(chosen, sample))
    return LawChoice(law, _kind(chosen), _reason(chosen, scored, unit), table, mean, cv, notes)


def _prepared(
    values: Array,
    times: Array | None,
    weights: Array | None,
    is_upper_bound: Flags | None,
    is_lower_bound: Flags | None,
) -> tuple[_Sample, tuple[str, ...]]:
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    mass = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    upper, lower = (
        np.zeros(n, dtype=np.bool_) if flags is None else np.asarray(flags, dtype=np.bool_)
        for flags in (is_upper_bound, is_lower_bound)
    )
    kind: Bound = "lower" if lower.any() else "upper"
    bound = upper | lower
    if upper.any() and lower.any():
        message = (
            f"Of {n} durations {int(upper.sum())} are upper and {int(lower.sum())} lower bounds; "
            "a law can be chosen with bounds of one kind only (leave the rarer kind out)"
        )
        raise TelemetryError(message)
    # Not a number compares as false.
    usable = np.isfinite(values) & (values >= 0) & np.isfinite(mass) & (mass > 0)
    notes: tuple[str, ...] = ()
    if not usable.all():
        notes = (f"{int((~usable).sum())} of {n} values are missing or below 0; left out.",)
    if not (usable & ~bound).any():
        message = (
            f"Of {n} durations {int(usable.sum())} are finite and 0 or more, and none of these is "
            "more than a bound; a law needs at least one that is known (check the columns of the "
            "times)"
        )
        raise TelemetryError(message)
    chosen = np.flatnonzero(usable)
    if times is not None:
        chosen = chosen[np.argsort(np.asarray(times)[chosen], kind="stable")]
    values, mass, bound = values[chosen], mass[chosen], bound[chosen]
    if not bound.any():
        return _Sample(values, mass, bound, mass, kind), notes
    handed = bound_weights(values, bound, mass, kind)
    total = float(mass.sum())
    notes = (*notes, f"{float(mass[bound].sum()) / total:.0%} are only {kind} bounds.")
    lost = float(handed[bound].sum()) / total
    if kind == "lower":
        # What lasted longer than every known duration counts as if it had ended then.
        bound = bound & (handed == 0)
        return _Sample(values, mass, bound, handed, kind), notes
    if lost > _MUCH:
        notes = (*notes, f"{lost:.0%} are bounds below every known duration and stand for nothing.")
    return _Sample(values, mass, bound, np.where(bound, 0.0, handed), kind), notes


def _estimates(
    sample: _Sample, half_life: float | None, unit: str, rows: str
) -> tuple[Estimate, Estimate]:
    values, weights = sample.exact(half_life)
    mass = None if np.ptp(weights) == 0 else weights
    return (
        mean_estimate(values, mass, unit=unit, rows=rows),
        cv_estimate(values, mass, rows=rows),
    )


def _fitted(family: Family, sample: _Sample) -> FamilyFit | None:
    return fit_family(family, sample.values, sample.counts, sample.is_bound, sample.bound)


def _candidates(sample: _Sample, mean: Estimate, *, is_jitter: bool) -> list[_Candidate]:
    found = [_Candidate("sample")]
    n = len(sample.values)
    found += [
        _Candidate(f"recent sample, half-life {round(life * n)}", half_life=life)
        for life in HALF_LIVES
        if n >= _LEAST_FOR_RECENT and life * n >= _LEAST_HALF_LIFE
    ]
    if float(sample.values.min()) <= 0:
        return found
    # With a cv below 2 % the shape of a gamma law is above 2500 and badly determined.
    for family in () if is_jitter else FAMILIES:
        fit = _fitted(family, sample)
        # A family whose tail gives another mean than the observations would shift every rate.
        if fit is not None and (
            sample.is_bound.any()
            or mean.low <= fit.mean <= (math.inf if mean.high is None else mean.high)
        ):
            found.append(_Candidate(family, fit.aic, fit=fit))
    values, weights = sample.exact()
    for k in (2, 3):
        mixture = fit_mixture(values, k, weights)
        if mixture is not None:
            found.append(_Candidate(f"mixture of {k}", mixture.aic, fit=mixture))
    return found


def _finalists(candidates: list[_Candidate], n: int) -> list[_Candidate]:
    """Return all samples, the best family by AIC, and the best mixture by BIC if it fits better."""
    families = [item for item in candidates if isinstance(item.fit, FamilyFit)]
    mixtures = [item for item in candidates if isinstance(item.fit, MixtureFit)]
    found = [item for item in candidates if item.fit is None]
    least = math.inf
    if families:
        family = min(families, key=_aic)
        least = _aic(family) - _CLEARLY_BETTER
        found.append(family)
    if mixtures:
        mixture = min(mixtures, key=lambda item: _bic(item, n))
        found += [mixture] if _aic(mixture) < least else []
    return found


def _aic(candidate: _Candidate) -> float:
    return math.inf if candidate.aic is None else candidate.aic


def _bic(candidate: _Candidate, n: int) -> float:
    return candidate.fit.bic(n) if isinstance(candidate.fit, MixtureFit) else math.inf


def _scored(sample: _Sample, finalists: list[_Candidate]) -> dict[str, tuple[_Candidate, _Scores]]:
    """Return the finalists that could be fitted in every block, with their scores."""
    n = len(sample.values)
    if n > _MOST_SCORED:
        chosen = np.random.default_rng(0).choice(n, _MOST_SCORED, replace=False)
        sample, n = sample.part(np.sort(chosen)), _MOST_SCORED
    first = _FIRST_SHARE * n
    n_blocks = max(1, min(_N_BLOCKS, int((n - first) / _LEAST_PER_BLOCK)))
    edges = np.linspace(first, n, n_blocks + 1).astype(int)
    found: dict[str, tuple[_Candidate, _Scores]] = {}
    parts = []
    for begin, end in itertools.pairwise(edges):
        actual, mass = sample.part(slice(begin, end)).exact()
        if len(actual) and mass.sum() > 0:
            parts.append((sample.part(slice(0, begin)), actual, mass))
    for item in finalists:
        rows = []
        for past, actual, mass in parts:
            foretold = item.foretell(past)
            if foretold is None:
                break
            rows.append((crps(foretold, actual, mass), *distances(foretold, actual, mass)))
        else:
            if rows or item.kind == "sample":
                scores = np.asarray(rows, dtype=np.float64).reshape(-1, 3)
                found[item.kind] = item, _Scores(scores[:, 0], scores[:, 1], scores[:, 2])
    if "sample" not in found:
        found["sample"] = _Candidate("sample"), _Scores(np.zeros(0), np.zeros(0), np.zeros(0))
    return found


def _best(scored: dict[str, tuple[_Candidate, _Scores]]) -> _Candidate:
    plain, base = scored["sample"]
    if not len(base.crps):
        return plain
    eligible: list[tuple[float, _Candidate]] = []
    for item, scores in scored.values():
        if item.half_life is not None:
            gains = base.crps - scores.crps
            error = float(gains.std(ddof=1)) / math.sqrt(len(gains)) if len(gains) > 1 else math.inf
            if not gains.mean() > _LEAST_GAIN * error:
                continue
        eligible.append((float(scores.crps.mean()), item))
    best, chosen = min(eligible, key=lambda pair: pair[0])
    for _, item in sorted(eligible, key=lambda pair: not isinstance(pair[1].fit, FamilyFit)):
        is_simple = isinstance(item.fit, FamilyFit) or item.kind == "sample"
        if is_simple and float(scored[item.kind][1].crps.mean()) <= _INDIFFERENT * best:
            return item
    return chosen


def _law(chosen: _Candidate, sample: _Sample, mean: Estimate) -> Duration:
    if chosen.fit is not None:
        return chosen.fit.law()
    return _sample_law(*sample.exact(chosen.half_life), mean)


def _sample_law(values: Array, weights: Array, mean: Estimate) -> Duration:
    """Return the sample as a law, with its estimates."""
    kept = rounded(thinned(values, weights=None if np.ptp(weights) == 0 else weights))
    return kept[0] if min(kept) == max(kept) else Empirical(samples=kept, estimates={"mean": mean})


def _moved(estimate: Estimate, value: float) -> Estimate:
    """Return the estimate with another value and an interval as wide in proportion."""
    if estimate.value <= 0:
        return estimate
    ratio = value / estimate.value
    high = None if estimate.high is None else estimate.high * ratio
    return Estimate(
        value=value,
        low=estimate.low * ratio,
        high=high,
        unit=estimate.unit,
        n=estimate.n,
        method=f"maximum likelihood; interval as of the {estimate.method}",
        rows=estimate.rows,
        is_identified=estimate.is_identified,
    )


def _kind(chosen: _Candidate) -> str:
    return chosen.kind.split(",")[0]


def _reason(chosen: _Candidate, scored: dict[str, tuple[_Candidate, _Scores]], unit: str) -> str:
    own = scored[chosen.kind][1].crps
    if not len(own):
        return "Sample, because the observations are too few to hold some out."
    others = {
        kind: float(scores.crps.mean())
        for kind, (_, scores) in scored.items()
        if kind != chosen.kind
    }
    name = chosen.kind[0].upper() + chosen.kind[1:]
    text = f"{name}, with a held-out CRPS of {own.mean():.3g} {unit} over {len(own)} later blocks"
    if not others:
        return f"{text}; no other law could be fitted."
    rival = min(others, key=lambda kind: others[kind])
    rest = f"the next best, {rival}, has {others[rival]:.3g} {unit}"
    if others[rival] < own.mean():
        rest = f"{rival} has {others[rival]:.3g} {unit}, not enough better to be preferred"
    return f"{text}; {rest}."


def _warnings(chosen: _Candidate, sample: _Sample) -> tuple[str, ...]:
    values, weights = sample.exact()
    if chosen.half_life is not None:
        n = round(chosen.half_life * len(sample.values))
        note = (
            "Later blocks were foretold better by recent observations, so weights halve every "
            f"{n} observations: the level changes in time."
        )
        return (note,)
    if chosen.fit is None:
        return ()
    foretold = chosen.fit.quantiles((np.arange(_POINTS * 5) + 0.5) / (_POINTS * 5))
    gap, _ = distances(foretold, values, weights)
    limit = _KOLMOGOROV / math.sqrt(len(values))
    if gap <= limit:
        return ()
    note = (
        f"The {chosen.kind} law misses the distribution by up to {gap:.2f} (Kolmogorov-Smirnov; "
        f"chance gives at most {limit:.2f} in 99 % of cases)."
    )
    return (note,)


def _table(
    candidates: Sequence[_Candidate], scored: dict[str, tuple[_Candidate, _Scores]]
) -> pl.DataFrame:
    rows = []
    for item in candidates:
        scores = scored[item.kind][1] if item.kind in scored else None
        known = (
            (None, None, None)
            if scores is None or not len(scores.crps)
            else tuple(float(part.mean()) for part in (scores.crps, scores.ks, scores.wasserstein))
        )
        rows.append((item.kind, item.fit.n_parameters if item.fit else None, item.aic, *known))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
