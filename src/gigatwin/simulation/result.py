"""What a simulation found: tables of KPIs with confidence intervals, series, bottleneck."""

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.kpi.bottleneck import BottleneckCandidates

Parameters = Literal["estimated", "uncertain"]
"""Whether the numbers of a factory are taken as they are, or drawn from their estimates."""


@dataclass(frozen=True)
class Result:
    """KPIs of a simulated factory; every estimate with its 95 % interval.

    In each table a quantity ``q [unit]`` has the columns ``q_low [unit]`` and ``q_high [unit]``.
    With parameters as estimated, this is the confidence interval of the mean, which more
    replications narrow. With uncertain parameters it is the interval in which a replication lies
    with 95 % probability: that of the plant is one of them, so that more replications only make
    this interval itself better known.
    """

    factory_name: str
    days: float
    """Length of each replication. [d]"""
    warm_up: float
    """Time from the start that is not counted. [s]"""
    is_warm_up_accepted: bool
    """Whether the warm-up found lies in the first half of the run, so that the rest is steady."""
    is_overloaded: bool
    """Whether more arrives than the factory can pass on, so that there is no steady state."""
    replications: int
    seed: int
    totals: pl.DataFrame
    """The factory as a whole, a row for each quantity: kpi, unit, mean, low, high."""
    stations: pl.DataFrame
    """Quantities, time shares and ISO 22400 KPIs of each station."""
    lines: pl.DataFrame
    """KPIs of each production line."""
    formats: pl.DataFrame
    """Output, yield and lead time of each format."""
    buffers: pl.DataFrame
    """Mean level of each buffer."""
    resources: pl.DataFrame
    """Mean number of units of each resource in use."""
    scrap: pl.DataFrame
    """Findings by place and cause, with the delay between made and found."""
    stops: pl.DataFrame
    """Number and mean length of each kind of stop."""
    energy: pl.DataFrame
    """Electricity and heat by station, site loads included."""
    series: pl.DataFrame
    """Output and contents over simulated time, means over replications."""
    levels: pl.DataFrame
    """Level of each buffer over simulated time, means over replications."""
    lead_times: pl.DataFrame
    """Lead-time distribution: upper edge of each bin, products in it, by format."""
    bottleneck: BottleneckCandidates
    """Stations that limit the line, by three methods."""
    samples: dict[str, NDArray[np.float64]]
    """Value of each total in each replication, for paired comparisons."""
    events: pl.DataFrame | None = None
    """Event log of the first replication, when it was asked for."""
    parameters: Parameters = "estimated"
    """Whether the numbers of the factory were taken as they are, or drawn for each replication."""

    def total(self, kpi: str) -> tuple[float, float, float]:
        """Return mean, low and high of one of the totals."""
        row = self.totals.row(by_predicate=pl.col("kpi") == kpi, named=True)
        return row["mean"], row["low"], row["high"]

    def to_dict(self) -> dict[str, Any]:
        """Return all tables as plain data; NaN becomes None."""
        tables = {
            name: getattr(self, name).fill_nan(None).to_dicts()
            for name in (
                "totals",
                "lines",
                "stations",
                "formats",
                "buffers",
                "resources",
                "scrap",
                "stops",
                "energy",
            )
        }
        return {
            "factory": self.factory_name,
            "days": self.days,
            "warm_up [s]": self.warm_up,
            "is_warm_up_accepted": self.is_warm_up_accepted,
            "is_overloaded": self.is_overloaded,
            "replications": self.replications,
            "seed": self.seed,
            "parameters": self.parameters,
            "bottleneck": {
                "stations": list(self.bottleneck.stations),
                "by_method": self.bottleneck.by_method,
                "sentence": self.bottleneck.sentence,
            },
            **tables,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2)
