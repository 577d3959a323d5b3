"""The serial line beside SimPy and salabim, and its cost against its size."""

from functools import partial

from benchmarks.line_in_gigatwin import compile_line, simulate_line
from benchmarks.line_in_salabim import simulate_line as simulate_in_salabim
from benchmarks.line_in_simpy import (
    simulate_with_breakdowns,
    simulate_with_numbers,
    simulate_with_stores,
)
from benchmarks.measuring import Sample, in_turns
from benchmarks.serial_line import LineRun, SerialLine, best_rate, check_agreement, mean_throughput
from benchmarks.table import Row, at_least, at_most

_HORIZON = 30_000.0  # s; about a million visits to forty machines
_N_RUNS = 5  # runs of gigatwin in one measurement
_VISITS = 3_000_000  # of each size in one measurement
_THROUGHPUT = 0.8  # 1/s, roughly, to make runs of different sizes equally long

Samples = dict[str, list[Sample[list[LineRun]]]]


def plain_rows(share: float) -> list[Row]:
    """Return the rows of forty exponential machines that never fail."""
    line = SerialLine(40, _HORIZON * share)
    compiled = compile_line(line)
    samples = in_turns(
        {
            "SimPy": lambda seed: [simulate_with_stores(line, seed)],
            "gigatwin": lambda seed: simulate_line(compiled, line, seed, _N_RUNS),
            "salabim": lambda seed: [simulate_in_salabim(line, seed)],
            "SimPy without stores": lambda seed: [simulate_with_numbers(line, seed)],
        }
    )
    check_agreement(samples, "gigatwin", share)
    ours = best_rate(samples["gigatwin"])
    no_stores = ours / best_rate(samples["SimPy without stores"])
    return [
        at_least(
            "serial-40 against SimPy", _ratio(samples, "SimPy"), 70, "x", _rates(samples, "SimPy")
        ),
        at_least(
            "serial-40 against salabim",
            _ratio(samples, "salabim"),
            40,
            "x",
            _rates(samples, "salabim"),
        ),
        Row(
            "serial-40 against SimPy without stores",
            f"{no_stores:.3g} x",
            details=_rates(samples, "SimPy without stores"),
        ),
    ]


def breakdown_rows(share: float) -> list[Row]:
    """Return the row of forty machines that break down."""
    line = SerialLine(40, _HORIZON * share, has_breakdowns=True)
    compiled = compile_line(line)
    samples = in_turns(
        {
            "SimPy": lambda seed: [simulate_with_breakdowns(line, seed)],
            "gigatwin": lambda seed: simulate_line(compiled, line, seed, _N_RUNS),
        }
    )
    check_agreement(samples, "gigatwin", share)
    what = "serial-40 with breakdowns against SimPy"
    return [at_least(what, _ratio(samples, "SimPy"), 60, "x", _rates(samples, "SimPy"))]


def size_rows(share: float) -> list[Row]:
    """Return the row of the cost of a visit in short and long lines."""
    sizes = (10, 40, 100, 400)
    lines = {n: SerialLine(n, _VISITS * share / (_THROUGHPUT * n)) for n in sizes}
    compiled = {n: compile_line(line) for n, line in lines.items()}

    def simulate(n: int, seed: int) -> list[LineRun]:
        return simulate_line(compiled[n], lines[n], seed, 1)

    samples = in_turns({str(n): partial(simulate, n) for n in sizes})
    for program in samples.values():
        for sample in program:
            sample.result[0].check()
    rates = {name: best_rate(program) for name, program in samples.items()}
    details = ", ".join(f"serial-{name}: {rate / 1e6:.2f}" for name, rate in rates.items())
    return [
        at_most(
            "a visit in serial-400 against serial-10",
            rates["10"] / rates["400"],
            2,
            "x",
            f"{details} million visits per CPU second",
        )
    ]


def _ratio(samples: Samples, peer: str) -> float:
    return best_rate(samples["gigatwin"]) / best_rate(samples[peer])


def _rates(samples: Samples, peer: str) -> str:
    """Return rates and throughputs of gigatwin and a peer."""
    ours, theirs = samples["gigatwin"], samples[peer]
    return (
        f"{best_rate(ours) / 1e6:.2f} against {best_rate(theirs) / 1e6:.3f} million visits per CPU "
        f"second; {mean_throughput(ours):.4f} and {mean_throughput(theirs):.4f} items/s"
    )
