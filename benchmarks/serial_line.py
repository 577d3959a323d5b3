"""The line that all programs simulate: equal machines in series, a buffer before each.

The first machine never lacks material. A machine that has finished an item keeps it until the next
buffer has room (blocking after service). Times are exponential; with breakdowns, the running time
to the next one and the repair are exponential too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measuring import Sample, WrongResultError

PLACES = 10
"""Places of a buffer."""
MEAN_TIME = 1.0
"""Mean processing time. [s]"""
MEAN_RUNNING_TIME = 200.0
"""Mean running time between breakdowns. [s]"""
MEAN_REPAIR = 10.0
"""Mean length of a repair. [s]"""
LARGEST_DIFFERENCE = 0.02
"""Between the throughputs of two programs over a full horizon, as a share."""
_BETWEEN_NEIGHBOURS = PLACES + 2  # a full buffer, one item blocked before it, one in work after it


@dataclass(frozen=True)
class SerialLine:
    """A line and how long it is simulated, from empty."""

    n_machines: int
    horizon: float
    """Simulated time. [s]"""
    has_breakdowns: bool = False


@dataclass(frozen=True)
class LineRun:
    """What one run of a program made."""

    line: SerialLine
    visits: tuple[int, ...]
    """Items that each machine has finished."""

    @property
    def throughput(self) -> float:
        """Items that left the line per time [1/s]."""
        return self.visits[-1] / self.line.horizon

    def check(self) -> None:
        """Raise if the visits are impossible on this line."""
        for before, after in zip(self.visits, self.visits[1:], strict=False):
            if not 0 <= before - after <= _BETWEEN_NEIGHBOURS:
                message = (
                    f"{before} items left a machine and {after} the next; "
                    f"at most {_BETWEEN_NEIGHBOURS} fit between."
                )
                raise WrongResultError(message)


def description(line: SerialLine) -> str:
    """Return the factory description of a line."""
    stops = (
        "    stops:\n"
        f"      breakdown: {{kind: breakdown, every: {MEAN_RUNNING_TIME:g} s, "
        f"duration: {{distribution: exponential, mean: {MEAN_REPAIR:g} s}}}}\n"
    )
    stations = "".join(
        f"  machine_{k:03d}:\n"
        "    kind: discrete\n"
        f"    time: {{distribution: exponential, mean: {MEAN_TIME:g} s}}\n"
        + (f"    buffer: {{capacity: {PLACES}}}\n" if k else "")
        + (stops if line.has_breakdowns else "")
        for k in range(line.n_machines)
    )
    return f"name: serial-{line.n_machines}\nstations:\n{stations}"


def mean_throughput(samples: Sequence[Sample[list[LineRun]]]) -> float:
    """Return the mean throughput of all runs of a program [1/s]."""
    runs = [run for sample in samples for run in sample.result]
    return math.fsum(run.throughput for run in runs) / len(runs)


def best_rate(samples: Sequence[Sample[list[LineRun]]]) -> float:
    """Return the visits per second of the fastest measurement [1/s]."""
    return max(sum(sum(run.visits) for run in sample.result) / sample.seconds for sample in samples)


def check_agreement(
    samples: dict[str, list[Sample[list[LineRun]]]], reference: str, share: float
) -> None:
    """Raise unless all programs simulated the same line.

    Parameters
    ----------
    samples : dict
        Measurements by program.
    reference : str
        The program the others are compared with.
    share : float
        Length of the runs as a share of the full horizon; the limit grows with 1 / sqrt(share).
    """
    for program in samples.values():
        for sample in program:
            for run in sample.result:
                run.check()
    expected = mean_throughput(samples[reference])
    limit = LARGEST_DIFFERENCE / math.sqrt(share)
    for name, program in samples.items():
        found = mean_throughput(program)
        if abs(found / expected - 1.0) > limit:
            message = (
                f"{name} makes {found:.4f} items/s, {reference} {expected:.4f} items/s; "
                f"must agree within {limit:.1%}."
            )
            raise WrongResultError(message)
