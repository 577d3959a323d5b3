"""Learned numbers as people read them: with interval, unit, and what is only a bound."""

import math
from collections.abc import Sequence

from gigatwin.app.numbers import MISSING, ShownUnit, shown_unit
from gigatwin.app.tables import Column, estimate_html
from gigatwin.factory.estimates import Estimate


def half_width(estimate: Estimate) -> float:
    """Return half the width of the interval; NaN where there is no upper end."""
    return math.nan if estimate.high is None else (estimate.high - estimate.low) / 2


def estimate_text(estimate: Estimate) -> str:
    """Return a learned number with its interval and unit, in the unit that suits it.

    Examples
    --------
    >>> estimate_text(Estimate(value=90.0, low=84.0, high=96.0, unit="s", n=20, method="mean"))
    '90.0 ± 6.0 s'
    """
    unit = shown_unit("s", estimate.value) if estimate.unit == "s" else ShownUnit("", 1.0)
    if estimate.high is None and estimate.low > 0:
        return f"\u2265 {unit.sentence(estimate.low)}"
    if estimate.high is None:
        return f"{unit.sentence(estimate.value)} \u00b1 ?"
    return unit.sentence(estimate.value, half_width(estimate))


def estimate_column(title: str, unit: str, values: Sequence[Estimate | None]) -> Column:
    """Return a column of learned numbers, all in the unit that suits them.

    Parameters
    ----------
    title : str
        Heading, without the unit.
    unit : str
        As in result tables: ``s``, empty for a share.
    values : sequence of Estimate
        None where there is none.
    """
    shown = shown_unit(unit, [value.value for value in values if value is not None])
    cells = []
    for value in values:
        if value is None:
            cells.append(MISSING)
        elif value.high is None and value.low <= 0:
            cells.append(f'{shown.text(value.value)[0]} <span class="pm">\u00b1 ?</span>')
        elif value.high is None:
            cells.append(f"\u2265 {shown.text(value.low)[0]}")
        else:
            cells.append(estimate_html(shown, value.value, half_width(value)))
    keys = [math.nan if value is None else value.value for value in values]
    return Column(f"{title} [{shown.name}]", cells, keys)


def share_text(share: float) -> str:
    """Return a share without more digits than a reader needs.

    Examples
    --------
    >>> share_text(0.4567), share_text(0.0123), share_text(0.0001)
    ('46 %', '1.2 %', '<0.1 %')
    """
    percent = 100 * share
    if 0 < percent < 0.1:  # noqa: PLR2004 - a tenth of a percent
        return "<0.1 %"
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"  # noqa: PLR2004 - below 10 % a decimal is shown
