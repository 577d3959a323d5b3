"""How often an activity fails, from the outcomes of a log.

A failed activity does not take the item away: in real logs it is repeated, the case goes on, or
the case ends, and the routing knows how often each. So a failure is a mark on the item.
"""

import math
from dataclasses import dataclass

import polars as pl
from scipy import special

from gigatwin.factory.estimates import Estimate

_NORMAL_QUANTILE = 1.959963984540054
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


def wilson_interval(n_hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share [1]_.

    Parameters
    ----------
    n_hits, n : int
        Hits and trials; with no trials the interval is 0 to 1.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       J. Am. Stat. Assoc. 22 (1927) 209-212.

    Examples
    --------
    >>> low, high = wilson_interval(5, 100)
    >>> round(low, 4), round(high, 4)
    (0.0215, 0.1118)
    """
    if n == 0:
        return 0.0, 1.0
    ratio, z2 = n_hits / n, _NORMAL_QUANTILE**2
    centre = (ratio + z2 / (2 * n)) / (1 + z2 / n)
    spread = math.sqrt(ratio * (1 - ratio) / n + z2 / (4 * n * n))
    reach = _NORMAL_QUANTILE / (1 + z2 / n) * spread
    # At the ends the exact value is 0 or 1, which rounding misses.
    low = 0.0 if n_hits == 0 else centre - reach
    return low, 1.0 if n_hits == n else centre + reach


def jeffreys_interval(n_hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share from the posterior Beta(hits + 1/2, misses + 1/2) [1]_.

    For shares of routes, which add up to one, each is the marginal of the Dirichlet posterior
    with its own mass against the rest.

    Parameters
    ----------
    n_hits, n : int
        Hits and trials; with no trials the interval is 0 to 1.

    References
    ----------
    .. [1] L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion",
       Stat. Sci. 16 (2001) 101-133.

    Examples
    --------
    >>> low, high = jeffreys_interval(5, 100)
    >>> round(low, 4), round(high, 4)
    (0.0193, 0.1061)
    """
    if n == 0:
        return 0.0, 1.0
    hits, misses = n_hits + 0.5, n - n_hits + 0.5
    low = 0.0 if n_hits == 0 else float(special.betaincinv(hits, misses, 0.025))
    return low, 1.0 if n_hits == n else float(special.betaincinv(hits, misses, 0.975))
