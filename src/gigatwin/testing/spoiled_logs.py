"""What goes wrong with real logs, done to good ones on purpose.

Every function takes a frame of visits (columns case, machine, start, end, and others that it leaves
alone) and returns a new one; same seed, same damage. Each function has its own random numbers, so
that an event is not lost because its error is large.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl


def with_jitter(visits: pl.DataFrame, sigma: float, seed: int = 1) -> pl.DataFrame:
    """Return visits whose times have an independent normal error.

    Parameters
    ----------
    visits : polars.DataFrame
        The log.
    sigma : float
        Standard deviation of the error. [s]
    seed : int
        Chooses the errors.
    """
    random = np.random.default_rng([seed, 1])
    return visits.with_columns(
        pl.col(name) + pl.Series(random.normal(0.0, sigma, visits.height))
        for name in ("start", "end")
    )


def with_lost_events(visits: pl.DataFrame, ratio: float, seed: int = 1) -> pl.DataFrame:
    """Return visits of which a share of the starts and of the ends is null.

    A visit that loses both is left out, as it would be in a log.
    """
    random = np.random.default_rng([seed, 2])
    lossy = visits.with_columns(
        pl.when(pl.Series(random.random(visits.height) >= ratio)).then(name).alias(name)
        for name in ("start", "end")
    )
    return lossy.filter(pl.col("start").is_not_null() | pl.col("end").is_not_null())


def with_duplicates(visits: pl.DataFrame, ratio: float, seed: int = 1) -> pl.DataFrame:
    """Return visits of which a share of the rows stands there twice, the copy directly behind."""
    random = np.random.default_rng([seed, 3])
    times = np.where(random.random(visits.height) < ratio, 2, 1)
    return visits[np.repeat(np.arange(visits.height), times)]


def with_offsets(visits: pl.DataFrame, offsets: Mapping[str, float]) -> pl.DataFrame:
    """Return visits of machines whose clocks are ahead by some seconds; others are right."""
    shift = pl.col("machine").replace_strict(dict(offsets), default=0.0, return_dtype=pl.Float64)
    return visits.with_columns(pl.col("start") + shift, pl.col("end") + shift)


def in_disorder(visits: pl.DataFrame, reach: int, seed: int = 1) -> pl.DataFrame:
    """Return visits whose rows have moved by up to so many places; times stay what they are."""
    random = np.random.default_rng([seed, 4])
    places = np.arange(visits.height) + random.uniform(0.0, reach, visits.height)
    return visits[np.argsort(places, kind="stable")]


def with_backward_clock(visits: pl.DataFrame, machine: str, at: float, step: float) -> pl.DataFrame:
    """Return visits of which one machine's clock is set back at some moment.

    Parameters
    ----------
    visits : polars.DataFrame
        The log.
    machine : str
        Whose clock it is.
    at : float
        Moment, by the right time. [s]
    step : float
        By how much it is set back. [s]
    """
    return visits.with_columns(
        pl.when((pl.col("machine") == machine) & (pl.col(name) >= at))
        .then(pl.col(name) - step)
        .otherwise(pl.col(name))
        .alias(name)
        for name in ("start", "end")
    )
