"""Single histories without the tables of a result: their events, or their throughput."""

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import StudyError
from gigatwin.events.log import EventTable, event_table
from gigatwin.factory.factory import Factory
from gigatwin.kernel.layout import State
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run


def trace_of(
    factory: Factory | CompiledModel,
    duration: float,
    seed: int = 1,
    replication: int = 0,
    warm_up: float = 0.0,
) -> EventTable:
    """Return every event of one simulated history.

    Parameters
    ----------
    factory : Factory or CompiledModel
        What to simulate.
    duration : float
        Simulated time to reach, the warm-up included. [s]
    seed, replication : int
        Choose the random streams.
    warm_up : float
        Events before this time are left out; times still count from the start. [s]

    Raises
    ------
    StudyError
        If the warm-up is not shorter than the run.
    SimulationError
        If the run cannot go on.
    """
    _check(duration, warm_up)
    compiled = factory if isinstance(factory, CompiledModel) else compile_factory(factory)
    run = Run(compiled, seed=seed, replication=replication, trace=True)
    run.advance(duration)
    records = run.records()
    return event_table(records[records["time"] >= warm_up], event_names(compiled))


def throughput_of(
    factory: Factory | CompiledModel,
    seconds: float,
    warm_up: float = 0.0,
    seed: int = 1,
    replication: int = 0,
) -> float:
    """Return the products finished per second in one simulated history.

    This is for calibration, where a factory is simulated thousands of times: it costs little more
    than the simulation itself. Compile a factory once if only the seed changes.

    Parameters
    ----------
    factory : Factory or CompiledModel
        What to simulate.
    seconds : float
        Simulated time to reach, the warm-up included. [s]
    warm_up : float
        Time from the start that is not counted. [s]
    seed, replication : int
        Choose the random streams.

    Returns
    -------
    float
        Products finished between the end of the warm-up and the end. [1/s]

    Raises
    ------
    StudyError
        If the warm-up is not shorter than the run.
    SimulationError
        If the run cannot go on.
    """
    _check(seconds, warm_up)
    compiled = factory if isinstance(factory, CompiledModel) else compile_factory(factory)
    run = Run(compiled, seed=seed, replication=replication)
    before = 0
    if warm_up > 0:
        run.advance(warm_up)
        before = _finished(run.state)
    run.advance(seconds)
    return (_finished(run.state) - before) / (seconds - warm_up)


def _finished(state: State) -> int:
    return int(state.flows["finished"].sum())


def _check(seconds: float, warm_up: float) -> None:
    if not 0 <= warm_up < seconds:
        message = (
            f"simulated time: {seconds:g} s with a warm-up of {warm_up:g} s; the warm-up must be "
            "0 s or more and shorter than the run."
        )
        raise StudyError(message)
