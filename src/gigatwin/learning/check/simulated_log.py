"""A log as a learned line would have written it, in the times and under the names of the plant."""

import polars as pl

from gigatwin.compiler.build import compile_factory
from gigatwin.events.case_log import CaseLog
from gigatwin.events.log import event_table
from gigatwin.events.visits import visits_of
from gigatwin.learning.learned import Learned
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run

_MORE = 1.2
_MOST_ROUNDS = 12


def simulated_log(learned: Learned, n_cases: int, seed: int = 1) -> CaseLog:
    """Return a simulated log of the first cases that went through a learned line.

    Activities that run side by side are told apart again, each as it was observed at some time, and
    times are those of the calendar.

    Parameters
    ----------
    learned : Learned
        The learned line.
    n_cases : int
        Cases that the log holds if the supply lasts; they are all finished or scrapped.
    seed : int
        Chooses the random streams.
    """
    compiled = compile_factory(learned.factory)
    names = event_names(compiled)
    run = Run(compiled, seed=seed, trace=True)
    tables: list[pl.DataFrame] = []
    until = _MORE * n_cases * _mean_interval(learned)
    for _ in range(_MOST_ROUNDS):
        goes_on = run.advance(until)
        tables.append(event_table(run.records(), names))
        left = tables[-1].filter(pl.col("kind") == "LEAVE")["detail"].cast(pl.String)
        n_left = int(left.is_in(["out", "scrap"]).sum()) + n_cases * (len(tables) > 1)
        if n_left >= n_cases or not goes_on:
            break
        until *= _MORE
    visits = visits_of(pl.concat(tables)).filter(pl.col("activity").is_in(list(learned.stations)))
    visits = visits.rename({"activity": "station"})
    first = visits.group_by("case", maintain_order=True).agg(pl.col("end").null_count())
    cases = first.head(n_cases).select("case")
    visits = visits.join(cases, on="case", how="semi", maintain_order="left")
    visits = visits.with_columns(pl.col("start", "end") - visits["start"].min())
    shown = _unfolded(visits.drop_nulls(["start", "end"]), learned, seed)
    return CaseLog(learned.axis.to_log(shown).sort("start", "end"), learned.axis.origin)


def _mean_interval(learned: Learned) -> float:
    """Return the time between two cases of the log. [s]."""
    supply = max(learned.supplies.values(), key=lambda supply: len(supply.intervals))
    return float(supply.intervals.mean()) if len(supply.intervals) else 1.0


def _unfolded(visits: pl.DataFrame, learned: Learned, seed: int) -> pl.DataFrame:
    """Return visits to activities for visits to stations."""
    activity = {name: station.activities[0] for name, station in learned.stations.items()}
    named = visits.with_columns(
        activity=pl.col("station").replace_strict(activity, return_dtype=pl.String)
    ).select("case", "activity", "machine", "start", "end", "success")
    parts = [named.filter(~pl.col("activity").is_in(list(learned.blocks)))]
    for name, block in learned.blocks.items():
        own = named.filter(pl.col("activity") == name).with_row_index("number")
        inside = block.unfold((own["end"] - own["start"]).to_numpy(), seed)
        joined = inside.join(
            own.select(pl.col("number").cast(pl.Int64), "case", "start", "success"), on="number"
        )
        begin = pl.col("start") + pl.col("offset")
        parts.append(
            joined.select(
                "case",
                "activity",
                "machine",
                start=begin,
                end=begin + pl.col("length"),
                success="success",
            )
        )
    return pl.concat(parts)
