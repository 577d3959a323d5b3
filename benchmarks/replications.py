"""What a trace costs, and what a second thread brings."""

import tempfile
import time
from pathlib import Path

import polars as pl

from benchmarks.machine import n_cores
from benchmarks.measuring import WrongResultError, best_seconds, in_turns
from benchmarks.table import Row, at_least, at_most
from gigatwin.compiler import compile_factory
from gigatwin.factory import load
from gigatwin.simulation import simulate

_DAYS = 0.5
_N_REPLICATIONS = 20


def trace_rows(share: float) -> list[Row]:
    """Return the row of one replication with its event log in a Parquet file."""
    compiled = compile_factory(load("serial-40"))
    days = _DAYS * share

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "events.parquet"

        def run(seed: int, trace: Path | None) -> float:
            result = simulate(
                compiled,
                days=days,
                replications=1,
                seed=seed + 1,
                warm_up=0.0,
                threads=1,
                trace=trace or False,
            )
            return result.total("throughput_rate")[0]

        run(0, log)
        samples = in_turns(
            {"plain": lambda seed: run(seed, None), "traced": lambda seed: run(seed, log)}
        )
        n_records = pl.scan_parquet(log).select(pl.len()).collect().item()
        size = log.stat().st_size
    pairs = zip(samples["plain"], samples["traced"], strict=True)
    if any(plain.result != traced.result for plain, traced in pairs):
        message = "a run with a trace made another number of items than without."
        raise WrongResultError(message)
    plain, traced = best_seconds(samples["plain"]), best_seconds(samples["traced"])
    details = f"{plain:.3g} s and {traced:.3g} s; {n_records:,} records, {size / 1e6:.1f} MB"
    return [at_most("serial-40 with its trace in Parquet, CPU", traced / plain, 3, "x", details)]


def thread_rows(share: float) -> list[Row]:
    """Return the row of twenty replications on one thread and on two."""
    what = f"serial-40, {_N_REPLICATIONS} replications on 2 threads, wall"
    if n_cores() < 2:  # noqa: PLR2004 - two threads
        return [Row(what, "not measured", ">= 1.7 x", None, "this machine has one core")]
    compiled = compile_factory(load("serial-40"))

    def run(threads: int) -> list[float]:
        result = simulate(
            compiled,
            days=_DAYS * share,
            replications=_N_REPLICATIONS,
            warm_up=0.0,
            threads=threads,
        )
        return [float(value) for value in result.samples["throughput_rate [1/h]"]]

    samples = in_turns({"one": lambda _: run(1), "two": lambda _: run(2)}, time.perf_counter)
    first = samples["one"][0].result
    if any(sample.result != first for program in samples.values() for sample in program):
        message = "the replications depend on the number of threads."
        raise WrongResultError(message)
    one, two = best_seconds(samples["one"]), best_seconds(samples["two"])
    return [at_least(what, one / two, 1.7, "x", f"{one:.3g} s and {two:.3g} s")]
