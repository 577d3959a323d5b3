"""Measure how well lines are learned from their logs, and print the table beside the targets.

Random lines and networks with known truth, public logs, and a log of a million events. All seeds
are fixed; lines that fail are listed. It takes about half an hour on two cores.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.line_trials import PARTS, LineTrial, parts_for_failures, trial
from benchmarks.loan_log import DISTANCES, ratios
from benchmarks.machine import describe_machine
from benchmarks.rank_check import p_values
from benchmarks.table import Row, as_markdown, as_text, at_most, write_into
from gigatwin.events.case_log import read_case_log
from gigatwin.factory.writing import write
from gigatwin.learning.check.holdout import holdout
from gigatwin.learning.flow.topology import discover
from gigatwin.learning.learn import learn
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.random_networks import f1, lose, random_network, visits_of_run

_N_LINES = 100
_N_VARIANT_LINES = 20
_N_LONG_LINES = 20
_FAILURES = 100
_CLOSE = 0.005
_FEW_HOLD_UPS = 3
_MOSTLY_BLOCKED = 0.85
_EVENTS = 1_000_000
_LEAST_COVER, _MOST_COVER = 92.0, 98.0
_MOST_ERROR = 1.5
_UNEVEN = 0.01
_SHIFT_PARTS = 20_000
_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def _share(what: str, hits: Sequence[bool], target: float, details: str = "") -> Row:
    """Return the row of a share in per cent, with how many of how many."""
    value = 100.0 * float(np.mean(hits)) if len(hits) else float("nan")
    text = f"{value:.1f} % ({sum(hits)} of {len(hits)})"
    return Row(what, text, f">= {target:g} %", value >= target, details)


def _learned(trials: Sequence[LineTrial]) -> list[LineTrial]:
    return [item for item in trials if not item.problem]


def line_rows(pool: ProcessPoolExecutor, scale: float) -> list[Row]:
    """Return the rows on random lines whose truth is like what the learner assumes."""
    n = max(4, round(_N_LINES * scale))
    clean = list(pool.map(trial, range(1, n + 1)))
    spoiled = list(pool.map(_spoiled, range(1, n + 1)))
    n_long = max(2, round(_N_LONG_LINES * scale))
    long = list(pool.map(_long, range(1, n_long + 1)))
    rows = [
        _lines(f"{n} lines, 5 000 parts each: learned", clean, lambda item: not item.problem, 100),
        _lines(
            "processing time: worst station within 0.5 % of its parts' mean", clean, _is_close, 90
        ),
        _lines(
            "the same within 0.5 % of the mean of its law",
            clean,
            lambda item: item.worst_error <= _CLOSE,
            90,
            "with every time known: "
            + _percent([item.worst_sampling_error <= _CLOSE for item in _learned(clean)]),
        ),
        _lines(
            "of their parts' mean, stations held up in at most 85 % of their visits",
            clean,
            lambda item: all(
                station.realised_error <= _CLOSE
                for station in item.stations
                if station.blocked_ratio <= _MOSTLY_BLOCKED
            ),
            90,
        ),
    ]
    for name, trials, target in (("clean", clean, 98.0), ("20 ms jitter, 1 % lost", spoiled, 90.0)):
        rows += _buffer_rows(name, trials, target)
        rows.append(_failure_row(name, trials))
    half_widths = [_half_width(item) for item in _learned(clean)]
    rows += [
        _lines(
            "throughput: truth in the interval of the learned line",
            clean,
            lambda item: item.is_covered,
            90,
            f"median half-width {100 * np.median(half_widths):.1f} %",
        ),
        _lines(
            "bottleneck of the learned line is that of the true line",
            clean,
            lambda item: item.is_bottleneck_found,
            90,
        ),
    ]
    enough = [t for t in _learned(long) if min(s.n_failures for s in t.stations) >= _FAILURES]
    errors = [100.0 * item.throughput_error for item in enough]
    worst = ", ".join(str(t.seed) for t in enough if 100.0 * t.throughput_error > _MOST_ERROR)
    rows.append(
        at_most(
            "throughput error where each machine failed 100 times, worst",
            max(errors),
            _MOST_ERROR,
            "%",
            f"{len(errors)} of {len(long)} lines, median {np.median(errors):.2f} %"
            + (f"; above: seeds {worst}" if worst else ""),
        )
    )
    return rows


def _lines(
    what: str,
    trials: Sequence[LineTrial],
    holds: Callable[[LineTrial], bool],
    target: float,
    details: str = "",
) -> Row:
    """Return the row of the lines for which something holds; one that was not learned is a miss."""
    hits = [not item.problem and holds(item) for item in trials]
    misses = [str(item.seed) for item, hit in zip(trials, hits, strict=True) if not hit]
    named = f"not: seeds {', '.join(misses)}" if misses else ""
    return _share(what, hits, target, "; ".join(text for text in (details, named) if text))


def _buffer_rows(name: str, trials: Sequence[LineTrial], target: float) -> list[Row]:
    buffers = [
        (item.seed, station)
        for item in _learned(trials)
        for station in item.stations
        if station.capacity >= 0
    ]
    shown = [(seed, s) for seed, s in buffers if s.n_held_up >= _FEW_HOLD_UPS]
    hits = [s.is_identified and s.learned_capacity == s.capacity for _, s in shown]
    missed = sorted({seed for (seed, _), hit in zip(shown, hits, strict=True) if not hit})
    exact = _percent([s.learned_capacity == s.capacity for _, s in buffers])
    wrong = sorted({seed for seed, s in buffers if not s.is_flag_right})
    return [
        _share(
            f"buffers with 3 hold-ups or more identified and exact, {name}",
            hits,
            target,
            f"of all buffers exact: {exact}"
            + (f"; not: seeds {_listed(missed)}" if missed else ""),
        ),
        _share(
            f"flag of the capacity right, all buffers, {name}",
            [s.is_flag_right for _, s in buffers],
            100,
            f"not: seeds {_listed(wrong)}" if wrong else "",
        ),
    ]


def _failure_row(name: str, trials: Sequence[LineTrial]) -> Row:
    stations = [station for item in _learned(trials) for station in item.stations]
    cover = 100.0 * float(np.mean([s.mtbf_covered for s in stations]))
    return Row(
        f"time between failures: 95 % intervals cover, {name}",
        f"{cover:.1f} % of {len(stations)}",
        "92 to 98 %",
        _LEAST_COVER <= cover <= _MOST_COVER,
        f"median error {100 * np.median([s.mtbf_error for s in stations]):.1f} %",
    )


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in seeds)


def variant_rows(pool: ProcessPoolExecutor, scale: float) -> list[Row]:
    """Return the rows on lines that do what the learner does not assume, each kind apart."""
    rows = []
    n = max(2, round(_N_VARIANT_LINES * scale))
    for variant, what in (
        ("autocorrelated", "autocorrelated times"),
        ("shifts", "a line that rests 8 h a day, 20 000 parts"),
        ("wear", "one station slowing down by 5 %"),
    ):
        # A calendar needs days: some 20 000 parts are three.
        parts = _SHIFT_PARTS if variant == "shifts" else PARTS
        trials = list(pool.map(trial, range(1, n + 1), [variant] * n, ["clean"] * n, [parts] * n))
        good = _learned(trials)
        rows.append(
            Row(
                f"{what}: throughput in the interval",
                f"{sum(item.is_covered for item in good)} of {len(trials)} lines",
                details=_variant_details(trials),
            )
        )
    return rows


def _variant_details(trials: Sequence[LineTrial]) -> str:
    good = _learned(trials)
    stations = [station for item in good for station in item.stations]
    buffers = [station for station in stations if station.capacity >= 0]
    return "; ".join(
        (
            f"worst station within 0.5 %: {_percent([_is_close(item) for item in good])}",
            f"flags right: {_percent([station.is_flag_right for station in buffers])}",
            f"failures covered: {_percent([station.mtbf_covered for station in stations])}",
            f"bottleneck: {_percent([item.is_bottleneck_found for item in good])}",
            f"throughput error: median {100 * np.median([t.throughput_error for t in good]):.1f} %",
            "throughput not covered: seeds "
            + (_listed([item.seed for item in good if not item.is_covered]) or "none"),
            *(f"seed {item.seed}: {item.problem}" for item in trials if item.problem),
        )
    )


def _is_close(item: LineTrial) -> bool:
    return item.worst_realised_error <= _CLOSE


def topology_rows(pool: ProcessPoolExecutor, scale: float) -> list[Row]:
    """Return the rows on the ways between stations of random networks."""
    n = max(4, round(_N_LINES * scale))
    rows = []
    for name, lost, target in (("clean", 0.0, 1.0), ("1 % of the events lost", 0.01, 0.98)):
        scores = list(pool.map(_network, range(1, n + 1), [lost] * n))
        mean = float(np.mean(scores))
        failing = [str(seed) for seed, score in enumerate(scores, 1) if score < 1.0]
        rows.append(
            Row(
                f"F1 of the ways of {n} random networks, {name}",
                f"{mean:.4f}",
                f">= {target:.2f}",
                round(mean, 4) >= target,
                f"below 1: seeds {', '.join(failing)}" if failing else "",
            )
        )
    return rows


def public_rows(pool: ProcessPoolExecutor, scale: float) -> list[Row]:
    """Return the rows on public logs; none where they are not there."""
    del pool, scale
    folder = Path(os.environ.get("GIGATWIN_DATA", _SHARED_DATA))
    if not folder.exists():
        return [Row("public logs", "data absent")]
    log = folder / "smart-factory-event-log" / "smart_factory_event_log.csv"
    medians = holdout(read_case_log(log)).medians()
    found, plain = medians.to_dicts()
    rows = [
        at_most(
            "smart-factory log, last 30 % held out: error of the mean, median",
            100 * found["mean_error"],
            5.3,
            "%",
            f"plain sample {100 * plain['mean_error']:.2f} %",
        ),
        at_most(
            "the same: KS distance, median",
            found["kolmogorov_smirnov"],
            0.2,
            "",
            f"plain sample {plain['kolmogorov_smirnov']:.3f}",
        ),
    ]
    over_floor, floor = ratios(folder / "bps-logs")
    for name, ratio, spread, least in zip(
        DISTANCES, over_floor.mean(axis=0), over_floor.std(axis=0), floor, strict=True
    ):
        rows.append(
            at_most(
                f"LoanApp, distance over its floor: {name}",
                float(ratio),
                1.5,
                "",
                f"mean of {len(over_floor)} simulated logs, spread {spread:.2f}; floor {least:.3g}",
            )
        )
    return rows


def calibration_rows(pool: ProcessPoolExecutor, scale: float) -> list[Row]:
    """Return the rows on the width of posteriors."""
    del pool
    n = max(50, round(_N_LINES * scale))
    return [
        Row(
            f"ABC-SMC, ranks of {n} lines uniform: {name}",
            f"p = {p:.2f}",
            "p >= 0.01",
            p >= _UNEVEN,
        )
        for name, p in p_values(n).items()
    ]


def speed_rows(pool: ProcessPoolExecutor, scale: float) -> list[Row]:
    """Return the row on the time from a file with a million events to a description."""
    del pool
    line = random_line(1, n_stations=(10, 10))
    n_parts = max(1000, int(_EVENTS * scale) // (2 * len(line.stations)))
    visits = line.simulate(n_parts, seed=2).visits
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        visits.select("case", "machine", "start", "end").write_csv(path)
        begin = time.perf_counter()
        write(learn(path).factory, Path(folder) / "line.yaml")
        seconds = time.perf_counter() - begin
    return [
        at_most(
            f"{2 * visits.height} events, from CSV to the description",
            seconds,
            60.0,
            "s",
            f"{len(line.stations)} stations",
        )
    ]


def _spoiled(seed: int) -> LineTrial:
    return trial(seed, "plain", "spoiled", has_forecast=False)


def _long(seed: int) -> LineTrial:
    return trial(seed, n_parts=parts_for_failures(seed, _FAILURES))


def _network(seed: int, lost: float) -> float:
    visits, true = visits_of_run(random_network(seed), seed=seed)
    return f1(true, discover(lose(visits, lost, seed) if lost else visits).edges)


def _half_width(item: LineTrial) -> float:
    low, middle, high = item.forecast
    return (high - low) / 2 / middle


def _percent(hits: Sequence[bool]) -> str:
    return f"{100 * float(np.mean(hits)):.0f} %" if len(hits) else "none"


_PARTS = {
    "lines": line_rows,
    "variants": variant_rows,
    "topology": topology_rows,
    "public": public_rows,
    "calibration": calibration_rows,
    "speed": speed_rows,
}


def main() -> int:
    """Return 1 when a part failed; a missed target is only shown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"of {', '.join(_PARTS)}")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table into a page")
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="SHARE", help="run this share of the trials"
    )
    arguments = parser.parse_args()
    notes = describe_machine()
    begin = time.perf_counter()
    rows: list[Row] = []
    failures = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=context) as pool:
        for name, measure in _PARTS.items():
            if arguments.only and name not in arguments.only:
                continue
            print(f"measuring: {name} ...", file=sys.stderr, flush=True)
            try:
                rows += measure(pool, arguments.scale)
            except Exception as error:  # noqa: BLE001 - the other parts are still wanted
                failures.append(f"{name}: {type(error).__name__}: {error}")
                rows.append(Row(name, "failed"))
    notes.append(f"the whole table took {(time.perf_counter() - begin) / 60:.0f} min")
    print("", as_text(rows), "", *notes, sep="\n")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    if arguments.markdown and not failures:
        write_into(arguments.markdown, as_markdown(rows, notes))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
