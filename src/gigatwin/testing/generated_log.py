"""A log of a small job shop whose laws are known, to try learning on."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.routing import OUT


@dataclass(frozen=True)
class GeneratedStep:
    """An activity on a machine, with its true laws."""

    activity: str
    """What is done."""
    machine: str
    """What does it, one case at a time."""
    mean: float
    """Mean of the processing time, which has a gamma distribution. [s]"""
    cv: float
    """Its standard deviation over its mean, above 0."""
    next: Mapping[str, float]
    """Step or ``out`` to its probability; they sum to 1."""
    failure_ratio: float = 0.0
    """Probability that the outcome is a failure."""


@dataclass(frozen=True)
class GeneratedShop:
    """A job shop: cases come at random and go from step to step."""

    steps: Mapping[str, GeneratedStep]
    """Steps by name."""
    first: Mapping[str, float]
    """Step that a case begins with, to its probability."""
    interval: float = 60.0
    """Mean time between cases, which is exponential. [s]"""


JOB_SHOP = GeneratedShop(
    steps={
        "saw": GeneratedStep("cut", "saw", 20.0, 0.2, {"mill-rough": 0.7, "lathe": 0.3}),
        "mill-rough": GeneratedStep("rough", "mill", 12.0, 0.5, {"mill-fine": 1.0}),
        "mill-fine": GeneratedStep("fine", "mill", 18.0, 0.3, {"gauge": 1.0}),
        "lathe": GeneratedStep("turn", "lathe", 40.0, 0.1, {"gauge": 1.0}, 0.05),
        "gauge": GeneratedStep("measure", "gauge", 8.0, 0.4, {OUT: 0.88, "mill-fine": 0.12}),
    },
    first={"saw": 0.9, "lathe": 0.1},
)
"""Four machines, one of them shared by two activities, a loop of rework, and failures."""


def case_log_of(shop: GeneratedShop = JOB_SHOP, n_cases: int = 1000, seed: int = 1) -> CaseLog:
    """Return a log of a job shop, with queues in front of its machines, first come first served.

    Parameters
    ----------
    shop : GeneratedShop
        The true laws.
    n_cases : int
        Number of cases.
    seed : int
        Same seed, same log.
    """
    random = np.random.default_rng(seed)
    arrivals = np.cumsum(random.exponential(shop.interval, n_cases))
    # In the order of time: (when ready, number of the case, name of its step).
    waiting = [
        (float(time), number, _drawn(random, shop.first)) for number, time in enumerate(arrivals)
    ]
    free: dict[str, float] = {}
    rows: list[tuple[str, str, str, float, float, bool]] = []
    while waiting:
        ready, number, name = heapq.heappop(waiting)
        step = shop.steps[name]
        start = max(ready, free.get(step.machine, 0.0))
        shape = 1.0 / step.cv**2
        end = start + float(random.gamma(shape, step.mean / shape))
        free[step.machine] = end
        is_good = bool(random.random() >= step.failure_ratio)
        rows.append((f"case_{number}", step.activity, step.machine, start, end, is_good))
        following = _drawn(random, step.next)
        if following != OUT:
            heapq.heappush(waiting, (end, number, following))
    names = ["case", "activity", "machine", "start", "end", "success"]
    table = pl.DataFrame(rows, schema=names, orient="row").sort("start", "end")
    origin = float(table["start"].item(0))
    return CaseLog(table.with_columns(pl.col("start", "end") - origin), origin)


def _drawn(random: np.random.Generator, shares: Mapping[str, float]) -> str:
    names = list(shares)
    return names[int(random.choice(len(names), p=list(shares.values())))]
