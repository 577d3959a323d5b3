"""Where items go after a station: first-order probabilities, counted.

The next station depends on the present one alone. Loops are allowed: a repeated activity leads
back to its own station.
"""

from collections.abc import Mapping

import polars as pl

from gigatwin.factory.routing import OUT, Next, Route

_DECIMALS = 6

Counts = Mapping[str, int]
"""Target to number of items."""


def first_stations(steps: pl.DataFrame) -> dict[str, int]:
    """Return where cases begin, most frequent first.

    Parameters
    ----------
    steps : polars.DataFrame
        Columns case and station, in the order of the starts.
    """
    firsts = steps.group_by("case", maintain_order=True).agg(pl.col("station").first())
    return _counted(firsts["station"])


def transitions(steps: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return for each station where items went next, ``out`` after their last activity.

    Parameters
    ----------
    steps : polars.DataFrame
        Columns case and station, in the order of the starts.
    """
    target = pl.col("station").shift(-1).over("case").fill_null(OUT)
    pairs = steps.select("station", target=target)
    return {
        str(station): _counted(group["target"])
        for (station,), group in pairs.group_by("station", maintain_order=True)
    }


def next_of(counts: Counts) -> Next:
    """Return the way on that the counts stand for; the shares sum to 1."""
    if len(counts) == 1:
        return next(iter(counts))
    total = sum(counts.values())
    # Not rounded down to 0, or a station that was seen could never be reached.
    shares = {
        target: max(round(count / total, _DECIMALS), 10.0**-_DECIMALS)
        for target, count in counts.items()
    }
    most = max(shares, key=lambda target: shares[target])
    others = sum(share for target, share in shares.items() if target != most)
    shares[most] = round(1.0 - others, _DECIMALS)
    return tuple(Route(to=target, share=share) for target, share in shares.items())


def overlap_ratio(steps: pl.DataFrame) -> float:
    """Return the share of activities that begin before the one before them in their case ends.

    Such activities ran side by side; first-order routing puts them one after the other.

    Parameters
    ----------
    steps : polars.DataFrame
        Columns case, start and end, in the order of the starts.
    """
    before = pl.col("end").shift(1).over("case")
    overlaps = steps.select((pl.col("start") < before).drop_nulls().alias("overlap"))["overlap"]
    return float(overlaps.sum() / len(overlaps)) if len(overlaps) else 0.0


def _counted(targets: pl.Series) -> dict[str, int]:
    counts = targets.value_counts().sort(["count", targets.name], descending=[True, False])
    return dict(counts.iter_rows())
