"""What a difference of a total means for the factory: better, worse, or not clear."""

from gigatwin.kpi.statistics import Interval

BETTER = "better"
WORSE = "worse"
NO_CLEAR_DIFFERENCE = "no clear difference"
_TINY = 1e-6

_MORE_IS_BETTER = frozenset({"throughput_rate", "yield_ratio"})
_LESS_IS_BETTER = frozenset(
    {
        "lead_time_mean",
        "items_in_process",
        "electricity_per_product",
        "heat_per_product",
        "energy_per_cell_energy",
    }
)


def verdict(kpi: str, difference: Interval, base: float = 0.0) -> str:
    """Return what a difference means.

    Parameters
    ----------
    kpi : str
        Name of the total.
    difference : Interval
        Scenario minus base, with its confidence interval.
    base : float
        Value of the base; a difference below a millionth of it is none.

    Returns
    -------
    str
        ``better`` or ``worse`` when the interval leaves out 0 (``higher`` or ``lower`` for a
        total that is neither good nor bad), otherwise ``no clear difference``.
    """
    is_tiny = abs(difference.mean) < _TINY * abs(base)
    if is_tiny or not (difference.low > 0.0 or difference.high < 0.0):
        return NO_CLEAR_DIFFERENCE
    is_more = difference.mean > 0.0
    if kpi in _MORE_IS_BETTER:
        return BETTER if is_more else WORSE
    if kpi in _LESS_IS_BETTER:
        return WORSE if is_more else BETTER
    return "higher" if is_more else "lower"
