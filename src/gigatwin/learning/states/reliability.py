"""Stops of machines from their states: how often, on which clock, how long.

Times between failures are *operating* times (the machine executes) or calendar times, whichever
explains the moments of the failures better. What a gap in the record cuts off is censored: a
stretch is never continued across a gap.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stops import Stop
from gigatwin.learning.states.state_history import History, Spells, histories
from gigatwin.learning.times.durations import FEW, mean_estimate
from gigatwin.learning.times.law_fits import FAMILIES, FamilyFit, fit_family
from gigatwin.learning.times.laws import LawChoice, choose_law
from gigatwin.learning.times.mixture_fits import fit_mixture

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Kind = Literal["breakdown", "micro_stop", "planned"]
Clock = Literal["running", "calendar"]

_STATE_OF: dict[Kind, str] = {
    "breakdown": "breakdown",
    "micro_stop": "micro_stop",
    "planned": "planned_stop",
}
_NORMAL_QUANTILE = 1.959963984540054
_CHI_SQUARE_95 = 3.841458820694124
# A state log may mislabel what a machine did right before a stop.
_MISLABELLED = 0.02
_LEAST_FOR_SPLIT = 30
_CLEARLY_BETTER = 10.0
_CLEARLY_APART = 2.0
_REGULAR = 0.1


@dataclass(frozen=True)
class StopEstimate:
    """A stop of a machine as its states show it."""

    machine: str
    """Machine of the log."""
    kind: Kind
    """What kind of stop."""
    clock: Clock
    """Whether time between stops is operating time or calendar time."""
    n_stops: int
    """Stops whose beginning was seen."""
    exposure: float
    """Time on the clock in which they could begin. [s]"""
    between: Estimate
    """Mean time between the end of a stop and the next, on the clock; with a timetable from begin
    to begin. [s]"""
    law: Distribution | float
    """Law of that time; a number is the interval of a timetable. [s]"""
    repair: LawChoice
    """Length of the stops."""
    availability: Estimate
    """Share of the time that the machine is up if nothing else holds it up."""
    notes: tuple[str, ...] = ()
    """What to know about it."""

    @property
    def is_identified(self) -> bool:
        """Whether there are 10 stops."""
        return self.n_stops >= FEW

    def to_stop(self) -> Stop:
        """Return the stop for a description, with its estimates."""
        # A law carries its own estimates.
        known = {} if isinstance(self.law, Distribution) else {"every": self.between}
        if not isinstance(self.repair.law, Distribution | Empirical):
            known["duration"] = self.repair.mean
        return Stop(
            kind=self.kind,
            every=self.law,
            clock=self.clock,
            duration=self.repair.law,
            description=" ".join(self.notes),
            estimates=known,
        )


@dataclass(frozen=True)
class StopSplit:
    """Short and long stops told apart by their lengths alone."""

    threshold: float
    """Stops below it are micro-stops. [s]"""
    share: float
    """Share of micro-stops."""
    medians: tuple[float, float]
    """Median of the short and of the long stops. [s]"""
    gain: float
    """By how much the Bayesian criterion of the mixture is below that of the best single law."""


def learn_stops(
    intervals: pl.DataFrame, *, rows: str = "", tolerance: float = 1.0
) -> dict[str, tuple[StopEstimate, ...]]:
    """Learn the stops of all machines from their states.

    Parameters
    ----------
    intervals : polars.DataFrame
        Columns machine, start, end [s] and state: lower-case names of `MachineState`. Time that is
        not covered, or whose state is null or unknown, is a gap.
    rows : str
        Rows of the log, for the estimates.
    tolerance : float
        Time without a state that is not a gap yet. [s]

    Returns
    -------
    dict
        Machine to its stops, without those that never occurred.
    """
    found: dict[str, tuple[StopEstimate, ...]] = {}
    for machine, recorded in histories(intervals, tolerance=tolerance).items():
        estimates = []
        history, split = _told_apart(recorded)
        for kind in _STATE_OF:
            item = _learned(machine, kind, history, rows)
            if item is not None and split is not None and kind != "planned":
                note = (
                    "Micro-stops and breakdowns were told apart by their lengths, at "
                    f"{split.threshold:.3g} s."
                )
                item = replace(item, notes=(*item.notes, note))
            estimates += [item] if item is not None else []
        found[machine] = tuple(estimates)
    return found


def split_stops(lengths: Array) -> StopSplit | None:
    """Tell micro-stops from breakdowns by a mixture of two lognormal laws.

    Parameters
    ----------
    lengths : ndarray
        Lengths of stops, above 0. Shape (n,). [s]

    Returns
    -------
    StopSplit or None
        None if there are fewer than 30, if one law (of any family) explains them as well by the
        Bayesian criterion, or if the two parts overlap (Ashman's D below 2 [1]_).

    References
    ----------
    .. [1] K. M. Ashman, C. M. Bird, S. E. Zepf, "Detecting bimodality in astronomical datasets",
       Astron. J. 108 (1994) 2348-2361.
    """
    lengths = lengths[lengths > 0]
    n = len(lengths)
    if n < _LEAST_FOR_SPLIT:
        return None
    mixture = fit_mixture(lengths, 2)
    if mixture is None:
        return None
    singles = [fit_family(name, lengths) for name in FAMILIES]
    single = min(
        (math.log(n) * fit.n_parameters - 2 * fit.log_likelihood for fit in singles if fit),
        default=math.inf,
    )
    gain = single - mixture.bic(n)
    low, high = (math.log(median) for median in mixture.medians)
    narrow, wide = mixture.deviations
    apart = math.sqrt(2) * (high - low) / math.hypot(narrow, wide)
    if gain < _CLEARLY_BETTER or apart < _CLEARLY_APART:
        return None
    grid = np.linspace(low, high, 2001)
    heights = [
        math.log(share / width) - 0.5 * ((grid - centre) / width) ** 2
        for share, centre, width in zip(
            mixture.shares, (low, high), mixture.deviations, strict=True
        )
    ]
    crossing = int(np.argmax(heights[1] >= heights[0]))
    return StopSplit(
        threshold=math.exp(grid[crossing]),
        share=mixture.shares[0],
        medians=(mixture.medians[0], mixture.medians[1]),
        gain=gain,
    )


def rate_interval(n_events: int, exposure: float) -> tuple[float, float]:
    """Return the 95 % interval of a rate from a count, by chi-square quantiles [1]_.

    Parameters
    ----------
    n_events : int
        Events, 0 or more.
    exposure : float
        Time in which they could occur, above 0. [s]

    References
    ----------
    .. [1] F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936) 437-442.

    Examples
    --------
    >>> low, high = rate_interval(10, 1.0)
    >>> round(low, 3), round(high, 3)
    (4.795, 18.39)
    """
    # The chi-square quantile with 2 k degrees of freedom is twice that of gamma with shape k.
    low = float(special.gammaincinv(n_events, 0.025)) if n_events else 0.0
    return low / exposure, float(special.gammaincinv(n_events + 1, 0.975)) / exposure


def _learned(machine: str, kind: Kind, history: History, rows: str) -> StopEstimate | None:
    spells = history.spells(_STATE_OF[kind])
    if not spells.is_whole.any():
        return None
    clock, notes = _clock(kind, history, _STATE_OF[kind])
    if clock == "running":
        spells = history.spells(_STATE_OF[kind], clock="executing")
    n_stops, n_whole = len(spells.begins), int(spells.is_whole.sum())
    if not n_whole or spells.exposure <= 0:
        return None
    is_cut = ~spells.is_whole
    repair = choose_law(spells.lengths, times=spells.ends, is_lower_bound=is_cut, rows=rows)
    between, law, more = _between(clock, n_stops, spells, rows)
    if kind == "planned":
        between, law, plan = _planned(clock, spells, between, law)
        more = (*more, *plan)
    if n_whole < n_stops:
        note = f"{n_stops - n_whole} stops were cut off by a gap; they lasted at least so long."
        more = (*more, note)
    return StopEstimate(
        machine=machine,
        kind=kind,
        clock=clock,
        n_stops=n_stops,
        exposure=spells.exposure,
        between=between,
        law=law,
        repair=repair,
        availability=_availability(between, repair, n_stops, n_whole, rows),
        notes=(*notes, *more),
    )


def _between(
    clock: Clock, n_stops: int, spells: Spells, rows: str
) -> tuple[Estimate, Distribution | float, tuple[str, ...]]:
    """Return the mean time between stops, its law and notes."""
    exposure, ages, is_cut = spells.exposure, spells.ages, spells.is_cut
    slow, fast = rate_interval(n_stops, exposure)
    mean = exposure / n_stops
    between = Estimate(
        value=mean,
        low=min(1 / fast, mean),
        high=max(1 / slow, mean),
        unit="s",
        n=n_stops,
        method=f"{clock} time over number of stops, chi-square interval",
        rows=rows,
        is_identified=n_stops >= FEW,
    )
    notes: tuple[str, ...] = ()
    if n_stops < FEW:
        notes = (f"Not identified: {n_stops} stops, fewer than {FEW}.",)
    whole = ages[~is_cut]
    exponential = Distribution(
        distribution="exponential", mean=between.value, estimates={"mean": between}
    )
    if len(whole) < FEW or whole.min() <= 0:
        return between, exponential, notes
    constant = fit_family("exponential", ages, is_bound=is_cut, bound="lower")
    ageing = fit_family("weibull", ages, is_bound=is_cut, bound="lower")
    if constant is None or ageing is None:
        return between, exponential, notes
    ratio = 2 * (ageing.log_likelihood - constant.log_likelihood)
    if ratio < _CHI_SQUARE_95:
        note = f"Exponential: Weibull is not significantly better (likelihood ratio {ratio:.2g})."
        return between, exponential, (*notes, note)
    estimates = _weibull_estimates(ageing, ages, is_cut, rows)
    note = (
        f"Weibull with shape {ageing.shape:.3g}: significantly better than exponential "
        f"(likelihood ratio {ratio:.3g})."
    )
    notes = (*notes, note)
    law = ageing.law().model_copy(update={"estimates": estimates})
    own = estimates["mean"]
    if own.low <= 1 / slow and (own.high or math.inf) >= 1 / fast:
        return own, law, notes
    # How many stops come in the long run matters more than the first stretches after a stop.
    note = (
        f"Stretches between two stops of one record have a mean of {ageing.mean:.4g} s, but all "
        f"time over all stops is {mean:.4g} s, which is used: the stops come in clusters."
    )
    law = law.model_copy(update={"mean": between.value, "estimates": estimates | {"mean": between}})
    return between, law, (*notes, note)


def _planned(
    clock: Clock, spells: Spells, between: Estimate, law: Distribution | float
) -> tuple[Estimate, Distribution | float, tuple[str, ...]]:
    """Return a fixed interval for planned stops that come at equal distances."""
    whole = spells.ages[~spells.is_cut]
    if clock == "calendar" and _is_regular(spells.cycles):
        every = mean_estimate(spells.cycles, rows=between.rows)
        return every, every.value, ("A timetable, from begin to begin.",)
    if clock == "running" and _is_regular(whole):
        every = mean_estimate(whole, rows=between.rows)
        return every, every.value, ("After nearly equal operating times.",)
    return between, law, ()


def _is_regular(ages: Array) -> bool:
    return len(ages) > 1 and float(ages.std(ddof=1)) <= _REGULAR * float(ages.mean())


def _weibull_estimates(
    fit: FamilyFit, ages: Array, is_cut: Flags, rows: str
) -> dict[str, Estimate]:
    """Return mean and cv of a Weibull law with intervals by the observed information."""
    logs = np.log(ages / fit.scale)
    hazards = np.exp(fit.shape * logs)
    k = fit.shape
    n = int((~is_cut).sum())
    # Second derivatives of the likelihood by the logarithms of scale and shape, at its maximum.
    both_scale = k * k * float(hazards.sum())
    crossed = -k * k * float((hazards * logs).sum())
    both_shape = n + k * k * float((hazards * logs * logs).sum())
    covariance = np.linalg.inv(np.array([[both_scale, crossed], [crossed, both_shape]]))
    gradients = {
        "mean": np.array([1.0, -float(special.digamma(1 + 1 / k)) / k]),
        "cv": np.array([0.0, _relative_slope(k)]),
    }
    values = {"mean": fit.mean, "cv": fit.cv}
    units = {"mean": "s", "cv": ""}
    found = {}
    for name, gradient in gradients.items():
        reach = math.exp(_NORMAL_QUANTILE * math.sqrt(float(gradient @ covariance @ gradient)))
        found[name] = Estimate(
            value=values[name],
            low=values[name] / reach,
            high=values[name] * reach,
            unit=units[name],
            n=n,
            method="Weibull, maximum likelihood with censoring, interval by observed information",
            rows=rows,
            is_identified=n >= FEW,
        )
    return found


def _relative_slope(shape: float) -> float:
    """Return the derivative of log cv by log shape of a Weibull law."""
    log_ratio = math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape)
    inner = 2 * (float(special.digamma(1 + 2 / shape)) - float(special.digamma(1 + 1 / shape)))
    growth = math.exp(log_ratio) / math.expm1(log_ratio)
    return -0.5 * growth * inner / shape


def _availability(
    between: Estimate, repair: LawChoice, n_stops: int, n_repairs: int, rows: str
) -> Estimate:
    """Return MTBF over MTBF + MTTR; its odds are a ratio of two means, about lognormal."""
    down, up = repair.mean.value, between.value
    value = up / (up + down)
    variance = 1 / n_stops + repair.cv.value**2 / n_repairs
    reach = math.exp(_NORMAL_QUANTILE * math.sqrt(variance))
    return Estimate(
        value=value,
        low=up / (up + down * reach),
        high=up / (up + down / reach),
        n=n_stops,
        method="mean time between stops over its sum with the mean length",
        rows=rows,
        is_identified=n_stops >= FEW,
    )


def _clock(kind: Kind, history: History, state: str) -> tuple[Clock, tuple[str, ...]]:
    """Return the clock whose likelihood explains the moments of the stops better.

    On the running clock a stop can begin only while the machine executes, up to mislabelled states
    before a stop; on the calendar it can begin at any time. Ages differ, too: both are compared
    with the better of an exponential and a Weibull law.
    """
    default: Clock = "calendar" if kind == "planned" else "running"
    running = history.spells(state, clock="executing")
    calendar = history.spells(state, clock="calendar")
    n = len(calendar.begins)
    if running.exposure <= 0:
        return "calendar", ("The machine never executes in the record, so the calendar counts.",)
    if running.exposure > (1 - _MISLABELLED) * calendar.exposure:
        if kind == "planned":
            return default, ()
        return default, ("Running and calendar time do not differ enough to tell which counts.",)
    if kind == "planned":
        regular = _is_regular(calendar.cycles)
        is_running = not regular and _is_regular(running.ages[~running.is_cut])
        return ("running" if is_running else "calendar"), ()
    n_executing = int(calendar.follows_executing.sum())
    idle = calendar.exposure - running.exposure
    log_running = _log_likelihood(running.ages, running.is_cut, running.exposure, n_executing)
    log_running += n_executing * math.log(1 - _MISLABELLED)
    log_running += (n - n_executing) * math.log(_MISLABELLED / idle)
    log_calendar = _log_likelihood(calendar.ages, calendar.is_cut, calendar.exposure, n)
    difference = log_running - log_calendar
    clock: Clock = "running" if difference >= 0 else "calendar"
    text = "operating time" if clock == "running" else "calendar time"
    if abs(difference) < _CHI_SQUARE_95 / 2:
        return clock, (f"Whether {text} counts is not certain.",)
    return clock, (f"Stops follow {text} (logarithm of likelihoods {abs(difference):.3g} apart).",)


def _log_likelihood(ages: Array, is_cut: Flags, exposure: float, n: int) -> float:
    """Return the log likelihood of n stops in an exposure by the better of two laws."""
    rest = n * math.log(n / exposure) - n if n else 0.0
    whole = ages[~is_cut]
    if len(whole) < FEW or whole.min() <= 0:
        return rest
    fits = [
        fit_family(name, ages, is_bound=is_cut, bound="lower")
        for name in ("exponential", "weibull")
    ]
    constant, ageing = fits
    if constant is None or ageing is None:
        return rest
    # What the shape adds on the stretches whose age is known.
    return rest + max(0.0, ageing.log_likelihood - constant.log_likelihood - 1.0)


def _told_apart(history: History) -> tuple[History, StopSplit | None]:
    """Return the history with short breakdowns as micro-stops, where the states do not tell."""
    if history.has("micro_stop"):
        return history, None
    spells = history.spells("breakdown")
    split = split_stops(spells.lengths[spells.is_whole])
    if split is None:
        return history, None
    return history.split("breakdown", "micro_stop", "breakdown", split.threshold), split
