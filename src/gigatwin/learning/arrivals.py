"""When cases come: the times between their first starts, as observed.

Long pauses such as nights and weekends are part of the law here, as intervals that are drawn with
their observed probability at any time of day. A shift calendar is not learned.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.errors import TelemetryError

_LEAST = 2


def intervals(steps: pl.DataFrame) -> NDArray[np.float64]:
    """Return the times between the first starts of cases.

    Parameters
    ----------
    steps : polars.DataFrame
        Columns case and start.

    Returns
    -------
    ndarray
        Shape (n_cases - 1,). [s]

    Raises
    ------
    TelemetryError
        If there is one case only, or if all cases begin at the same time.
    """
    begins = steps.group_by("case").agg(pl.col("start").min())["start"].sort()
    if len(begins) < _LEAST:
        message = (
            "The log holds 1 case, from which no time between cases can be learned; needs at least "
            "2 (is the column taken for the case the right one?)"
        )
        raise TelemetryError(message)
    between = np.diff(begins.to_numpy())
    if not between.any():
        message = (
            f"All {len(begins)} cases of the log begin at the same time; needs cases that begin "
            "at different times, to learn the time between them"
        )
        raise TelemetryError(message)
    return np.asarray(between, dtype=np.float64)
