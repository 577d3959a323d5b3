"""How long a station takes, and what stops it: the two ways of learning it, and which one counts.

Where departures were held up, or visits show stops, processing time and stops are fitted together
with blocking as censoring; elsewhere the law of the visits themselves is chosen by how well it
foretells later ones.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.durations import Distribution, Duration, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.cycles import CycleFit, fit_cycles
from gigatwin.learning.times.laws import LawChoice, choose_law
from gigatwin.learning.times.stops import StopFit

_FEW = 10
_ENOUGH_FOR_STOPS = 100


@dataclass(frozen=True)
class StationTimes:
    """Processing time and stops of a station."""

    law: Duration
    """Processing time of one cycle, with its estimates unless it is a constant."""
    mean: Estimate
    """Mean of the processing time. [s]"""
    cv: float
    """Its standard deviation over its mean."""
    kind: str
    """The kind of law, in a word or two."""
    reason: str
    """Why this one."""
    by_format: dict[str, Duration] = field(default_factory=dict)
    """Processing time of each format, where they differ; ``law`` is then that of a mean format."""
    stops: tuple[StopFit, ...] = ()
    """Breakdowns and micro-stops that the visits show."""
    considered: pl.DataFrame = field(default_factory=pl.DataFrame)
    """What it was chosen from."""
    notes: tuple[str, ...] = ()
    """What a reader has to know."""

    @property
    def is_identified(self) -> bool:
        """Whether there are 10 observations and the mean is known to within 10 %."""
        high = self.mean.high
        is_precise = high is not None and high - self.mean.value <= 0.1 * self.mean.value
        return self.mean.n >= _FEW and is_precise and self.mean.is_identified


NO_TIMES = StationTimes(
    law=0.0,
    mean=Estimate(value=0.0, low=0.0, unit="s", n=0, method="none", is_identified=False),
    cv=0.0,
    kind="unknown",
    reason="No visit has both a start and an end; its time is taken as 0.",
)
"""What is known of a station without a complete visit: nothing."""


def station_times(  # noqa: PLR0913 - what is known of the visits
    durations: NDArray[np.float64],
    is_blocked: NDArray[np.bool_],
    starts: NDArray[np.float64],
    *,
    jitter: float,
    rows: str,
    may_stop: bool = True,
    has_records: bool = False,
) -> StationTimes:
    """Return processing time and stops of a station.

    Parameters
    ----------
    durations : ndarray
        End less start of each visit. Shape (n,), n at least 1. [s]
    is_blocked : ndarray
        Whether the end was held up, so that the work took at most this long. Shape (n,).
    starts : ndarray
        When each began. Shape (n,). [s]
    jitter : float
        Standard deviation of the clock's error. [s]
    rows : str
        Rows of the log.
    may_stop : bool
        Whether long visits may be stops. Not so in a job shop, where modes of work look alike:
        they are part of the law, or, where ends were held up, stay stops beside it.
    has_records : bool
        Whether the machine records its stops itself and they are not in the durations; none are
        then looked for.
    """
    may_stop = may_stop and not has_records
    if is_blocked.any() or (may_stop and len(durations) >= _ENOUGH_FOR_STOPS):
        fit = fit_cycles(durations, is_blocked, rows=rows, jitter=jitter)
        if is_blocked.any() or fit.stops:
            # The law is without the stops that were fitted, so they may go only if they are known
            # from elsewhere.
            fit = replace(fit, stops=()) if has_records else fit
            return _of_cycles(fit, has_bounds=bool(is_blocked.any()))
    return _of_choice(choose_law(durations, times=starts, rows=rows))


def _of_cycles(fit: CycleFit, *, has_bounds: bool) -> StationTimes:
    spread = fit.law_spread
    return StationTimes(
        law=fit.law,
        mean=fit.mean,
        cv=spread / fit.law_mean if fit.law_mean > 0 else 0.0,
        kind=_kind(fit.law),
        reason=_cycles_text(fit, has_bounds=has_bounds),
        stops=fit.stops,
        considered=fit.table(),
        notes=fit.notes,
    )


def _of_choice(choice: LawChoice) -> StationTimes:
    return StationTimes(
        law=choice.law,
        mean=choice.mean,
        cv=choice.cv.value,
        kind=choice.kind,
        reason=choice.reason,
        considered=choice.table,
        notes=choice.notes,
    )


def _cycles_text(fit: CycleFit, *, has_bounds: bool) -> str:
    kinds = {"breakdown": "breakdowns", "micro_stop": "micro-stops"}
    stops = " and ".join(kinds[stop.kind] for stop in fit.stops)
    law = f"{_kind(fit.law).capitalize()}{' with ' if stops else ''}{stops}"
    bounds = ", visits that were held up taken as upper bounds" if has_bounds else ""
    return f"{law}{bounds}; {fit.reason}."


def _kind(law: Duration) -> str:
    if isinstance(law, Distribution):
        return law.distribution
    return "sample" if isinstance(law, Empirical) else "constant"
