"""The tables of a result, from what was observed in the replications."""

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.plan import OUTSIDE
from gigatwin.kpi.active_periods import mean_active_period_from_tallies
from gigatwin.kpi.bottleneck import BottleneckCandidates, candidates, over_replications
from gigatwin.kpi.lead_time import quantile
from gigatwin.kpi.station_kpis import (
    design_times,
    line_kpis,
    planned_run_times,
    station_kpis,
)
from gigatwin.kpi.statistics import IntervalKind
from gigatwin.kpi.tables import estimates
from gigatwin.kpi.tally import Tally
from gigatwin.simulation.energy import energy_use
from gigatwin.simulation.observe import Observation
from gigatwin.simulation.result import Parameters, Result
from gigatwin.standards.machine_states import MachineState

_HOUR = 3600.0
_CLEAR_GROWTH = 20.0
_QUANTILES = {"p05": 0.05, "median": 0.5, "p95": 0.95}


def _stack(rows: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _formats(
    compiled: CompiledModel, window: Tally, design: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    finished = window.finished.sum(axis=0).astype(np.float64)
    scrapped = window.scrapped.sum(axis=0)
    lost = (window.scrapped * compiled.products_per_item).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            "good [items]": finished,
            "scrap [items]": scrapped.astype(np.float64),
            "throughput_rate [1/h]": finished / (window.time / _HOUR),
            "actual_production_time [h]": window.production_seconds.sum(axis=0) / _HOUR,
            "actual_unit_setup_time [h]": window.setup_seconds.sum(axis=0) / _HOUR,
            "effectiveness": design.sum(axis=0) / window.production_seconds.sum(axis=0),
            "setup_ratio": window.setup_seconds.sum(axis=0)
            / (window.setup_seconds + window.production_seconds).sum(axis=0),
            "yield_ratio": finished / (finished + lost),
            "first_pass_yield": window.first_pass.sum(axis=0) / (finished + lost),
            "lead_time_mean [s]": window.lead_time.sum(axis=0) / finished,
        }
    for name, p in _QUANTILES.items():
        values[f"lead_time_{name} [s]"] = np.array(
            [quantile(counts, p) if counts.sum() else np.nan for counts in window.lead_times]
        )
    return values


def _scrap(compiled: CompiledModel, windows: list[Tally], kind: IntervalKind) -> pl.DataFrame:
    causes = [*compiled.defects, "spoiled here", "false alarm"]
    counts = np.array([w.findings for w in windows], dtype=np.float64)
    delays = np.array([w.finding_delay for w in windows])
    reworks = compiled.model.stations["rework"] >= 0
    places, kinds = np.nonzero(counts.sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        delay = (delays / counts)[:, places, kinds]
    hours = np.array([[w.time / _HOUR] for w in windows])
    return estimates(
        {
            "found_at": [compiled.stations[p] for p in places],
            "cause": [causes[k] for k in kinds],
            "goes_to": [
                "rework" if reworks[p] and k != len(compiled.defects) else "scrap"
                for p, k in zip(places, kinds, strict=True)
            ],
        },
        {"rate [1/h]": counts[:, places, kinds] / hours, "delay [s]": delay},
        kind=kind,
    ).sort("rate [1/h]", descending=True)


def _stops(compiled: CompiledModel, windows: list[Tally], kind: IntervalKind) -> pl.DataFrame:
    counts = np.array([w.stop_counts for w in windows], dtype=np.float64)
    seconds = np.array([w.stop_seconds for w in windows])
    hours = np.array([[w.time / _HOUR] for w in windows])
    names = [name.rsplit(".", 1) for name in compiled.stops]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = seconds / counts
    return estimates(
        {"station": [n[0] for n in names], "stop": [n[1] for n in names]},
        {"rate [1/h]": counts / hours, "mean_duration [s]": mean},
        kind=kind,
    )


def _bottleneck(compiled: CompiledModel, windows: list[Tally]) -> BottleneckCandidates:
    """Return the candidates among the stations and vehicle paths that worked."""
    seconds = np.sum([w.state_seconds for w in windows], axis=0)
    periods = np.sum([w.active_periods for w in windows], axis=0)
    worked = seconds[:, MachineState.EXECUTING] > 0
    worked &= ~np.isin(compiled.stations, compiled.arrivals)
    rows = np.flatnonzero(worked)
    if not len(rows):
        return BottleneckCandidates({}, (), "No station processed anything.")
    total = seconds.sum(axis=1)
    waiting = seconds[:, [MachineState.STARVED, MachineState.BLOCKED, MachineState.NO_ORDER]]
    machines = compiled.model.stations["n_machines"].astype(np.float64)
    active = (total - waiting.sum(axis=1)) / machines
    return candidates(
        [compiled.stations[r] for r in rows],
        (seconds[:, MachineState.STARVED] / total)[rows],
        (seconds[:, MachineState.BLOCKED] / total)[rows],
        mean_active_period=mean_active_period_from_tallies(
            active[rows], np.maximum(periods[rows] / machines[rows], 1.0)
        ),
    )


def _totals(
    models: list[CompiledModel],
    windows: list[Tally],
    energy: list[dict[str, float]],
    wip: list[float],
) -> dict[str, NDArray[np.float64]]:
    rows = []
    for compiled, window, use, contents in zip(models, windows, energy, wip, strict=True):
        finished = float(window.finished.sum())
        lost = float((window.scrapped * compiled.products_per_item).sum())
        nothing = float("nan")
        rows.append(
            {
                "throughput_rate [1/h]": finished / (window.time / _HOUR),
                "yield_ratio": finished / (finished + lost) if finished + lost else nothing,
                "lead_time_mean [s]": window.lead_time.sum() / finished if finished else nothing,
                "items_in_process [items]": contents,
                **use,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _grows(observations: list[Observation]) -> bool:
    """Return whether the contents grow all the time, as when more arrives than can pass."""
    contents = np.mean([o.in_process for o in observations], axis=0)
    third = len(contents) // 3
    first, middle, last = (float(contents[k * third : (k + 1) * third].mean()) for k in range(3))
    growth = middle - first
    return growth > _CLEAR_GROWTH and last - middle > growth / 2 and growth > first / 3


def build_result(  # noqa: PLR0913, PLR0917 - the parts of a result
    compiled: CompiledModel,
    days: float,
    seed: int,
    observations: list[Observation],
    warm_up: float,
    events: pl.DataFrame | None,
    *,
    is_warm_up_accepted: bool,
    parameters: Parameters = "estimated",
) -> Result:
    """Return the tables of a simulation.

    Parameters
    ----------
    compiled : CompiledModel
        The factory; that of each replication differs from it in its numbers at the most.
    days : float
        Length of each replication. [d]
    seed : int
        Seed of the study.
    observations : list of Observation
        The replications.
    warm_up : float
        Time from the start that is not counted, one of the moments of the tallies. [s]
    events : polars.DataFrame, optional
        Event log of the first replication.
    is_warm_up_accepted : bool
        Whether the rest is steady.
    parameters : str
        Whether the numbers of the factory were the same in all replications, or drawn for each.
    """
    # Over drawn numbers, the mean of many replications is no nearer to the truth than one of them.
    kind: IntervalKind = "prediction" if parameters == "uncertain" else "mean"
    tabulated = partial(estimates, kind=kind)
    windows = []
    wip = []
    for seen in observations:
        base = min(seen.tallies, key=lambda t: abs(t.time - warm_up))
        windows.append(seen.tallies[-1].since(base))
        wip.append(float(seen.in_process[seen.times > base.time].mean()))
    models = [seen.compiled for seen in observations]
    design = [
        design_times(w, c.run_times, c.is_per_content) for w, c in zip(windows, models, strict=True)
    ]
    station_rows = [
        station_kpis(w, planned_run_times(w, d, c.outputs))
        for w, d, c in zip(windows, design, models, strict=True)
    ]
    line_rows = [
        line_kpis(w, d, c.lines, c.leads_out_of_line, c.products_per_item)
        for w, d, c in zip(windows, design, models, strict=True)
    ]
    format_rows = [_formats(c, w, d) for c, w, d in zip(models, windows, design, strict=True)]
    use = [energy_use(c, w) for c, w in zip(models, windows, strict=True)]
    totals = _totals(models, windows, [u.totals for u in use], wip)
    lines = list(dict.fromkeys(compiled.lines))
    overall = tabulated(
        {"kpi": [name.partition(" [")[0] for name in totals]},
        {"mean": np.array(list(totals.values())).T},
    ).with_columns(unit=pl.Series([name.partition(" [")[2].rstrip("]") for name in totals]))
    times = observations[0].times / _HOUR
    step = times[1] - times[0]
    output = np.mean([np.diff(o.finished, prepend=0, axis=0) for o in observations], axis=0)
    levels = np.mean([o.levels for o in observations], axis=0)
    n_machines = compiled.model.stations["n_machines"]
    histogram = np.sum([w.lead_times for w in windows], axis=0)
    bins = np.flatnonzero(histogram.sum(axis=0))
    span = slice(bins[0], bins[-1] + 1) if len(bins) else slice(0, 0)
    return Result(
        factory_name=compiled.factory.name,
        days=days,
        warm_up=warm_up,
        is_warm_up_accepted=is_warm_up_accepted,
        is_overloaded=bool(compiled.arrivals) and _grows(observations),
        replications=len(observations),
        seed=seed,
        totals=overall.select(
            "kpi",
            "unit",
            "mean",
            pl.col("mean_low").alias("low"),
            pl.col("mean_high").alias("high"),
        ),
        stations=tabulated(
            {
                "station": compiled.stations,
                "line": compiled.lines,
                "machines": [int(n) for n in n_machines],
            },
            _stack(station_rows),
        ),
        lines=tabulated({"line": lines}, _stack(line_rows)).filter(pl.col("line") != OUTSIDE),
        formats=tabulated(
            {"format": compiled.formats},
            _stack(format_rows),
        ),
        buffers=tabulated(
            {"buffer": compiled.buffers, "capacity [items]": compiled.capacities},
            {"level [items]": np.array([w.buffer_area / w.time for w in windows])},
        ),
        resources=tabulated(
            {"resource": compiled.resources, "most_at_work [units]": compiled.most_at_work},
            {"in_use [units]": np.array([w.resource_area / w.time for w in windows])},
        ),
        scrap=_scrap(compiled, windows, kind),
        stops=_stops(compiled, windows, kind),
        energy=tabulated(
            {"consumer": use[0].consumers},
            {
                "electricity [kWh/h]": np.array([u.electricity for u in use]),
                "heat [kWh/h]": np.array([u.heat for u in use]),
            },
        ),
        series=pl.DataFrame(
            {
                "time [h]": times,
                **{
                    f"output {name} [1/h]": output[:, index] / step
                    for index, name in enumerate(compiled.formats)
                },
                "in_process [items]": np.mean([o.in_process for o in observations], axis=0),
            }
        ),
        levels=pl.DataFrame(
            {
                "time [h]": times,
                **{name: levels[:, index] for index, name in enumerate(compiled.buffers)},
            }
        ),
        lead_times=pl.DataFrame(
            {
                "lead_time [s]": 2.0 ** ((np.arange(histogram.shape[1]) + 1 - 320) / 32)[span],
                **{name: histogram[index, span] for index, name in enumerate(compiled.formats)},
            }
        ),
        bottleneck=over_replications(
            _bottleneck(compiled, windows),
            [_bottleneck(c, [w]) for c, w in zip(models, windows, strict=True)],
        ),
        samples=totals,
        events=events,
        parameters=parameters,
    )
