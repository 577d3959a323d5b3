"""A log of a small line with a split, rework, scrap and a rare station, and what it teaches."""

import numpy as np
import polars as pl

from gigatwin.events.case_log import CaseLog
from gigatwin.learning.check.compared_figures import Figure
from gigatwin.learning.check.holdout import Holdout, StationScore
from gigatwin.learning.check.verification import Verification
from tests.unit.app.line import HOSTILE

N_CASES = 240
RARE = "polish"


def small_log():
    """Return a log: cut, a hostile name, then paint (3 of 4) or print, check, and back for some.

    Paint takes longer from the middle of the log on.
    """
    random = np.random.default_rng(5)
    free: dict[str, float] = {}
    rows = []
    for case in range(N_CASES):
        way = ["cut", HOSTILE, "paint" if case % 4 else "print", "check"]
        if case % 10 == 3:
            way += ["paint", "check"]
        if case == 100:
            way.append(RARE)
        time = 40.0 * case
        for activity in way:
            mean = 20.0 if activity != "paint" or case < N_CASES // 2 else 26.0
            begin = max(time, free.get(activity, 0.0))
            time = begin + mean * random.uniform(0.9, 1.1)
            free[activity] = time
            rows.append((f"case {case}", activity, activity, begin, time, None))
            time += 1.0
    visits = pl.DataFrame(
        rows,
        schema={
            "case": pl.String,
            "activity": pl.String,
            "machine": pl.String,
            "start": pl.Float64,
            "end": pl.Float64,
            "success": pl.Boolean,
        },
        orient="row",
    ).with_row_index("row", offset=2)
    return CaseLog(visits, guesses=("case: column 'id'",), warnings=("2 rows repeat others",))


def figure(quantity, measured, simulated, *, station="", unit=""):
    """Return a figure; chance moves it by up to 10 %."""
    return Figure(
        station=station,
        quantity=quantity,
        unit=unit,
        measured=measured,
        simulated=simulated,
        low=0.9 * simulated,
        high=1.1 * simulated,
        p_value=0.5,
        detectable=0.1,
        is_larger_than_chance=not 0.9 < measured / simulated < 1.1,
    )


def verification():
    """Return a comparison with one difference, at a station."""
    return Verification(
        factory_name="small",
        figures=(
            figure("throughput", 0.025, 0.0255, unit="1/s"),
            figure("lead time mean", 90.0, 95.0, unit="s"),
            figure("items in process", 2.5, 2.4),
            figure("lead time distribution KS", 0.05, 0.05),
            figure("time mean", 20.0, 30.0, station="cut", unit="s"),
            figure("time mean", 20.0, 20.5, station="check", unit="s"),
        ),
        n_cases=N_CASES,
        n_finished=N_CASES,
        length=9600.0,
        warm_up=0.0,
        replications=10,
        seed=1,
        parameters="estimated",
        notes=("The log begins with an empty line.",),
    )


def score(station, error):
    """Return a score with the same distance in every respect."""
    return StationScore(station, 100, 50, 20.0, 20.0, error, error, error, error)


def holdout():
    """Return held-out scores of two stations, better than those of the plain sample."""
    return Holdout(
        scores=(score("cut", 0.02), score("check", 0.04)),
        n_left_out=1,
        plain=(score("cut", 0.06), score("check", 0.08)),
    )
