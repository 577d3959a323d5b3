"""Machines down to their axes: exactness and speed beside peers, and what tuning yields.

python -m benchmarks.machines [--markdown docs/machine-trials.md]
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from ruckig import InputParameter, Ruckig, Trajectory
from scipy.optimize import linprog

from benchmarks.machine import describe_machine
from benchmarks.measuring import best_seconds, in_turns
from benchmarks.table import Row, as_markdown, as_text, at_least, at_most, write_into
from gigatwin.cli.machine.numbers import exact_setting
from gigatwin.equipment.cycle_ratio import max_cycle_ratio
from gigatwin.equipment.line import MachineGroup, groups_of, line_rate
from gigatwin.equipment.motion.s_curve import move_time
from gigatwin.equipment.robustness import usual_moves, with_other_knees
from gigatwin.equipment.tuning import Tuning, best_settings_step, tune
from gigatwin.factory.changes import with_changes
from gigatwin.factory.reading import load
from gigatwin.studies.comparison import compare

_LINE = "equipment-46"
_FORMATS = ("4680", "4695", "46120")
_SETTINGS_ALONE = {"4680": 0.50, "4695": 0.32, "46120": 0.24}
_WITH_HARDWARE = 0.60
_YIELD_LOSS = 0.005
_MOVES = 20_000
_GRAPHS = 1_000
_MANY = 10_000
_SEED = 46


def motion_rows() -> list[Row]:
    """Return the closed-form move beside ruckig."""
    rng = np.random.default_rng(_SEED)
    lows, highs = np.log([1e-4, 0.05, 0.5, 5.0]), np.log([10.0, 5.0, 100.0, 5000.0])
    moves = np.exp(rng.uniform(lows, highs, (_MOVES, 4))).tolist()
    wanted, planner, trajectory = InputParameter(1), Ruckig(1), Trajectory(1)

    def by_ruckig(_: int) -> list[float]:
        found = []
        for stroke, speed, acceleration, jerk in moves:
            wanted.target_position = [stroke]
            wanted.max_velocity, wanted.max_acceleration = [speed], [acceleration]
            wanted.max_jerk = [jerk]
            planner.calculate(wanted, trajectory)
            found.append(trajectory.duration)
        return found

    samples = in_turns(
        {
            "ruckig": by_ruckig,
            "gigatwin": lambda _: [move_time(*move) for move in moves],
            "gigatwin, one call": lambda _: list(move_time(*np.array(moves).T)),
        }
    )
    exact = np.array(samples["ruckig"][0].result)
    ours = np.array(samples["gigatwin"][0].result)
    difference = float(np.max(np.abs(ours / exact - 1)))
    one, call = (
        best_seconds(samples["ruckig"]) / best_seconds(samples[name])
        for name in ("gigatwin", "gigatwin, one call")
    )
    return [
        at_most("move times against ruckig, relative", difference, 1e-9, "", f"{_MOVES} moves"),
        Row("speed of move times against ruckig", f"{one:.3g} x, in one call {call:.3g} x"),
    ]


def _random_graph(
    rng: np.random.Generator, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    arcs = 3 * n
    tails, heads = rng.integers(0, n, (2, arcs))
    ring = np.arange(n)
    tails, heads = np.append(tails, ring), np.append(heads, (ring + 1) % n)
    weights = rng.uniform(0.0, 10.0, len(tails))
    # A token on each arc backwards in the numbering leaves no circuit without one.
    tokens = np.where(heads > tails, rng.integers(0, 2, len(tails)), rng.integers(1, 4, len(tails)))
    return tails.astype(np.int32), heads.astype(np.int32), weights, tokens.astype(float)


def _by_linear_program(
    n: int, tails: np.ndarray, heads: np.ndarray, weights: np.ndarray, tokens: np.ndarray
) -> float:
    rows = np.zeros((len(tails), n + 1))
    arcs = np.arange(len(tails))
    rows[arcs, tails] += 1
    rows[arcs, heads] -= 1
    rows[arcs, n] = -tokens
    cost = np.zeros(n + 1)
    cost[n] = 1
    found = linprog(
        cost,
        A_ub=rows,
        b_ub=-weights,
        bounds=[(None, None)] * (n + 1),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return float(found.x[n])


def ratio_rows() -> list[Row]:
    """Return Howard's iteration beside a linear program."""
    rng = np.random.default_rng(_SEED)
    graphs = [(n, *_random_graph(rng, n)) for n in rng.integers(2, 41, _GRAPHS).tolist()]
    tails, heads, weights, tokens = graphs[0][1:]
    max_cycle_ratio(tails, heads, weights[None], tokens[None], graphs[0][0])  # compiled once
    samples = in_turns(
        {
            "HiGHS": lambda _: [_by_linear_program(*graph) for graph in graphs],
            "gigatwin": lambda _: [
                float(max_cycle_ratio(t, h, w[None], k[None], n)[0][0]) for n, t, h, w, k in graphs
            ],
        },
        repeats=1,
    )
    exact, ours = (np.array(samples[name][0].result) for name in ("HiGHS", "gigatwin"))
    faster = best_seconds(samples["HiGHS"]) / best_seconds(samples["gigatwin"])
    difference = float(np.max(np.abs(ours - exact)))
    return [
        at_most(
            "cycle ratio against a linear program (HiGHS)",
            difference,
            1e-9,
            "s",
            f"{_GRAPHS} graphs of 2 to 40 activities, times up to 10 s",
        ),
        Row("speed of the cycle ratio against HiGHS", f"{faster:.3g} x"),
    ]


def line_rows(groups: list[MachineGroup]) -> list[Row]:
    """Return how long a line of six machines takes to evaluate."""
    rng = np.random.default_rng(_SEED)
    one = {g.name: {"tau": 0.05} for g in groups}
    many = {
        g.name: {
            name: rng.uniform(known.low, known.high, _MANY)
            for name, known in g.model.settings.items()
        }
        for g in groups
    }
    repeats = 200
    samples = in_turns(
        {
            "one": lambda _: [line_rate(groups, "4680", one).good_rate for _ in range(repeats)],
            "many": lambda _: line_rate(groups, "4680", many).good_rate,
        },
        time.perf_counter,
    )
    each = best_seconds(samples["one"]) / repeats * 1e3
    return [
        at_most("line of six machines, one setting, wall", each, 1.0, "ms"),
        at_most(
            "line of six machines, 10 000 settings, wall", best_seconds(samples["many"]), 2.0, "s"
        ),
    ]


def tuning_rows(groups: list[MachineGroup]) -> tuple[list[Row], dict[str, Tuning]]:
    """Return what tuning yields, step by step, in each format."""
    rows, tunings = [], {}
    for product_format in _FORMATS:
        begin = time.perf_counter()
        found = tune(groups, product_format, _YIELD_LOSS)
        seconds = time.perf_counter() - begin
        tunings[product_format] = found
        last = best_settings_step(found)
        for step in found.steps:
            what = f"{product_format}: {step.name}"
            loss = 100 * (found.floor + _YIELD_LOSS - step.line.first_pass_yield)
            details = (
                f"{60 * step.good_rate:.1f} good cells/min, yield "
                f"{100 * step.line.first_pass_yield:.2f} % ({loss:.2f} points lost), "
                f"{step.line.bottleneck} slowest"
            )
            if step is last:
                details += f"; all steps of the format took {seconds:.0f} s"
                row = at_least(
                    what, 100 * step.gain, 100 * _SETTINGS_ALONE[product_format], "%", details
                )
            elif step.hardware is not None and step is found.steps[-2]:
                row = at_least(what, 100 * step.gain, 100 * _WITH_HARDWARE, "%", details)
            else:
                row = Row(what, f"{100 * step.gain:.3g} %", details=details)
            rows.append(row)
    return rows, tunings


def knee_rows(groups: list[MachineGroup], tunings: dict[str, Tuning]) -> list[Row]:
    """Return what is left of the gain when every knee of the defect curves moves."""
    rows = []
    for product_format, tuning in tunings.items():
        for name, factors in usual_moves(groups).items():
            found = with_other_knees(groups, tuning, name, factors)
            details = (
                f"as delivered {60 * found.delivered_rate:.1f} good cells/min, yield "
                f"{100 * found.delivered_yield:.2f} %; settings found without knowing gain "
                f"{100 * found.kept_gain:.3g} % at a yield of {100 * found.kept_yield:.2f} %"
            )
            what = f"{product_format}: {name}, tuned anew"
            rows.append(Row(what, f"{100 * found.new_gain:.3g} %", details=details))
    return rows


def simulated_rows(tunings: dict[str, Tuning]) -> list[Row]:
    """Return what the tuned line makes when it is simulated, with its buffers."""
    rows = []
    factory = load(_LINE)
    for product_format, tuning in tunings.items():
        order = {"orders": [{"format": product_format, "quantity": 1_000_000_000}]}
        base = with_changes(factory, order)
        settings = best_settings_step(tuning).settings
        units = {g.name: g.model.settings for g in groups_of(factory)}
        changes = {
            f"{station}.settings": {
                name: exact_setting(value, units[station][name]) for name, value in found.items()
            }
            for station, found in settings.items()
        }
        study = compare(base, {"tuned": changes}, days=2, replications=10, warm_up=7200.0)
        row = study.row("tuned", "throughput_rate")
        low, high = (100 * row[end] / row["base"] for end in ("difference_low", "difference_high"))
        rows.append(
            Row(
                f"{product_format}: simulated with buffers of 60, settings alone",
                f"{100 * row['relative_difference']:.3g} % ({low:.3g} to {high:.3g})",
                details=f"{row['base'] / 60:.1f} and {row['mean'] / 60:.1f} good cells/min",
            )
        )
    return rows


def main() -> int:
    """Print the table, and write it into a page if one is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.machines", description=__doc__)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table into a page")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    notes = describe_machine()
    print(*notes, sep="\n", flush=True)
    groups = groups_of(load(_LINE))
    rows = [*motion_rows(), *ratio_rows(), *line_rows(groups)]
    print("tuning ...", file=sys.stderr, flush=True)
    tuned, tunings = tuning_rows(groups)
    rows += tuned
    print("knees ...", file=sys.stderr, flush=True)
    rows += knee_rows(groups, tunings)
    print("simulating ...", file=sys.stderr, flush=True)
    rows += simulated_rows(tunings)
    notes.append(f"the whole table took {time.perf_counter() - begin:.0f} s")
    print("", as_text(rows), "", notes[-1], sep="\n")
    if arguments.markdown:
        write_into(arguments.markdown, as_markdown(rows, notes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
