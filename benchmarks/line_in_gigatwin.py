"""The serial line in gigatwin."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import WrongResultError
from benchmarks.serial_line import LineRun, SerialLine, description
from gigatwin.compiler import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.factory import load
from gigatwin.factory.reading import read_text
from gigatwin.simulation.run import Run


def compile_line(line: SerialLine) -> CompiledModel:
    """Return a compiled line, from the template if there is one, with the kernel warm."""
    is_template = line.n_machines == 40 and not line.has_breakdowns  # noqa: PLR2004 - its name
    factory = load("serial-40") if is_template else read_text(description(line))
    compiled = compile_factory(factory)
    Run(compiled).advance(1.0)
    return compiled


def simulate_line(
    compiled: CompiledModel, line: SerialLine, seed: int, n_runs: int
) -> list[LineRun]:
    """Simulate a compiled line ``n_runs`` times without a trace, so that it takes long enough."""
    runs = []
    for replication in range(n_runs):
        run = Run(compiled, seed=seed, replication=replication)
        run.advance(line.horizon)
        visits = run.state.flows["processed"].reshape(line.n_machines, -1).sum(axis=1)
        _check_events(run, visits)
        runs.append(LineRun(line, tuple(int(n) for n in visits)))
    return runs


def _check_events(run: Run, visits: NDArray[np.int64]) -> None:
    """Raise unless there was an event for each visit, and two for each breakdown that is over."""
    stops = int(run.state.outages["count"].sum())
    most = int(visits.sum()) + 2 * stops
    least = most - min(stops, len(visits))
    found = int(run.state.control[0]["n_events"])
    if not least <= found <= most:
        message = f"{found} events for {visits.sum()} visits and {stops} breakdowns."
        raise WrongResultError(message)
