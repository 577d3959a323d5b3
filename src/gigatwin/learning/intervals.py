"""Intervals of shares, from counts."""

import math

from scipy import special

_Z = 1.959963984540054


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
    ratio, z2 = n_hits / n, _Z**2
    centre = (ratio + z2 / (2 * n)) / (1 + z2 / n)
    spread = math.sqrt(ratio * (1 - ratio) / n + z2 / (4 * n * n))
    reach = _Z / (1 + z2 / n) * spread
    # At the ends the exact value is 0 or 1, which rounding misses.
    low = 0.0 if n_hits == 0 else centre - reach
    return low, 1.0 if n_hits == n else centre + reach


def jeffreys_interval(n_hits: int, n: int, n_ways: int = 2) -> tuple[float, float]:
    """Return the 95 % interval of a share from the posterior after half a count of each way [1]_.

    Shares of several ways add up to one; each is the marginal of the Dirichlet posterior, with its
    own mass against the rest.

    Parameters
    ----------
    n_hits, n : int
        Hits and trials; with no trials the interval is 0 to 1.
    n_ways : int
        Number of ways; 2: hit or miss.

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
    hits, misses = n_hits + 0.5, n - n_hits + 0.5 * (n_ways - 1)
    low = 0.0 if n_hits == 0 else float(special.betaincinv(hits, misses, 0.025))
    return low, 1.0 if n_hits == n else float(special.betaincinv(hits, misses, 0.975))
