"""How often an activity fails, from the outcomes of a log.

A failed activity does not take the item away: in real logs it is repeated, the case goes on, or
the case ends, and the routing knows how often each. So a failure is a mark on the item.
"""

from dataclasses import dataclass

import polars as pl

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.intervals import wilson_interval

_FEW = 10


@dataclass(frozen=True)
class FailureRatio:
    """A share of failures with its 95 % interval."""

    n_known: int
    """Activities with a known outcome."""
    n_failed: int
    """Those that failed."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end."""

    @property
    def ratio(self) -> float:
        """Share of failures; 0 where no outcome is known."""
        return self.n_failed / self.n_known if self.n_known else 0.0

    def estimate(self, rows: str = "") -> Estimate:
        """Return the share with its interval; without known outcomes 0, not identified."""
        return Estimate(
            value=self.ratio,
            low=self.low,
            high=self.high,
            n=self.n_known,
            method="share, Wilson's score interval",
            rows=rows,
            is_identified=self.n_known >= _FEW,
        )

    def __str__(self) -> str:
        """Return the estimate in words."""
        return (
            f"{self.n_failed} of {self.n_known} failed, {100 * self.ratio:.2g} %, "
            f"95 % interval {100 * self.low:.2g}-{100 * self.high:.2g} %"
        )


def failure_ratios(steps: pl.DataFrame, by: str) -> dict[str, FailureRatio]:
    """Return the share of failures for each value of a column.

    Parameters
    ----------
    steps : polars.DataFrame
        Activities with the column success (true, false, or null where not known).
    by : str
        Column to group by: station, machine, activity.
    """
    counts = steps.group_by(by).agg(
        n_known=pl.col("success").is_not_null().sum(),
        n_failed=(~pl.col("success")).sum(),
    )
    return {
        str(name): FailureRatio(n_known, n_failed, *wilson_interval(n_failed, n_known))
        for name, n_known, n_failed in counts.sort(by).iter_rows()
    }
