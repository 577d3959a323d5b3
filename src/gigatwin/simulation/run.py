"""One simulated history: a compiled factory, its state, and the way forward."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.initial import chain_free
from gigatwin.errors import DeadlockError, SimulationError
from gigatwin.kernel.layout import Phase, State, Status
from gigatwin.kernel.loop import advance, watch
from gigatwin.units import format_quantity

_ENTRIES_A_SLICE = 500_000
"""Calendar entries between two looks at the outside world, a fraction of a second."""


class Run:
    """One simulated history of a factory.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    seed, replication : int
        Choose the random streams.
    trace : bool
        Whether event records are kept.
    on_records : callable, optional
        Gets each full block of event records (`layout.RECORD`), which is overwritten afterwards;
        without it they are kept until `records` is asked for.
    """

    def __init__(
        self,
        compiled: CompiledModel,
        *,
        seed: int = 1,
        replication: int = 0,
        trace: bool = False,
        on_records: Callable[[NDArray[np.void]], None] | None = None,
    ) -> None:
        self.compiled = compiled
        self.state = compiled.initial_state(seed, replication, trace=trace)
        self._blocks: list[NDArray[np.void]] = []
        self._on_records = on_records or (lambda block: self._blocks.append(block.copy()))

    @property
    def now(self) -> float:
        """Simulated time reached, in seconds."""
        return float(self.state.control[0]["now"])

    def advance(self, until: float, check: Callable[[], None] | None = None) -> bool:
        """Run until a simulated time; say whether anything can still happen after it.

        Parameters
        ----------
        until : float
            Simulated time to reach. [s]
        check : callable, optional
            Called every fraction of a second; may raise to interrupt the run.

        Raises
        ------
        DeadlockError
            If items wait for each other in a circle.
        """
        while True:
            status = Status(advance(self.compiled.model, self.state, until, _ENTRIES_A_SLICE))
            if check is not None:
                check()
            if status in (Status.REACHED, Status.EMPTY):
                return status is Status.REACHED
            self._see_to(status)

    def watch(
        self,
        times: NDArray[np.float64],
        finished: NDArray[np.int64],
        in_process: NDArray[np.int64],
        levels: NDArray[np.int32],
        check: Callable[[], None] | None = None,
    ) -> None:
        """Run from moment to moment and note what is seen; arguments as of `kernel.loop.watch`."""
        reached = 0
        while reached < len(times):
            code, reached = watch(
                self.compiled.model,
                self.state,
                times,
                reached,
                finished,
                in_process,
                levels,
                _ENTRIES_A_SLICE,
            )
            if check is not None:
                check()
            self._see_to(Status(code))

    def _see_to(self, status: Status) -> None:
        """Do what the kernel returned for, so that it can go on."""
        if status is Status.TRACE_FULL:
            self._empty_trace()
        elif status is Status.ITEMS_FULL:
            self._add_items()
        elif status is Status.DEADLOCK:
            raise DeadlockError(self._deadlock_message())
        elif status is Status.TRACE_OVERFLOW:
            message = (
                f"{self._place()}: one moment wrote more than {len(self.state.records)} records, "
                "more than the trace has room for. Run without a trace."
            )
            raise SimulationError(message)
        elif status is Status.STANDSTILL:
            name = self.compiled.actors[int(self.state.control[0]["culprit"])]
            message = (
                f"{self._place()}: {name} goes on and on without time passing. "
                "Give a station on its way a time above 0 s."
            )
            raise SimulationError(message)

    def check_stuck(self) -> None:
        """Raise when nothing can happen any more although machines wait for room.

        Raises
        ------
        DeadlockError
            If machines are blocked for ever.
        """
        blocked = np.flatnonzero(self.state.machines["phase"] == Phase.BLOCKED)
        if len(blocked) == 0 or np.isfinite(self.state.clock).any():
            return
        names = ", ".join(self.compiled.machines[m] for m in blocked[:5])
        targets = self.state.machines["target"][blocked[:5]]
        aims = ", ".join(dict.fromkeys(self.compiled.buffers[int(b)] for b in targets))
        message = (
            f"{self._place()}: deadlock: nothing can happen any more. {names} wait(s) for room at "
            f"{aims}, whose consumer lacks something that never comes. See what it waits for."
        )
        raise DeadlockError(message)

    def _place(self) -> str:
        return f"{self.compiled.factory.name} at {format_quantity(self.now, 's')} of simulated time"

    def records(self) -> NDArray[np.void]:
        """Return the event records so far that were not handed out. Shape (n_records,)."""
        self._empty_trace()
        blocks, self._blocks[:] = list(self._blocks), []
        return np.concatenate(blocks) if blocks else self.state.records[:0].copy()

    def flush(self) -> None:
        """Hand out the event records that are still kept."""
        self._empty_trace()

    def snapshot(self) -> State:
        """Return a copy of all that changes during a run."""
        return _copy(self.state)

    def restore(self, snapshot: State) -> None:
        """Go back (or forward) to a snapshot of the same compiled factory."""
        self.state = _copy(snapshot)

    def _empty_trace(self) -> None:
        n = int(self.state.control[0]["n_records"])
        if n:
            self._on_records(self.state.records[:n])
            self.state.control[0]["n_records"] = 0

    def _add_items(self) -> None:
        old = self.state.items
        items = np.zeros(2 * len(old), dtype=old.dtype)
        items[: len(old)] = old
        chain_free(items, len(old))
        control = self.state.control[0]
        items["next"][-1] = control["first_free"]
        control["first_free"] = len(old)
        control["n_free"] += len(old)
        self.state = self.state._replace(items=items)

    def _deadlock_message(self) -> str:
        circle = list(self._circle(int(self.state.control[0]["culprit"])))
        chain = " -> ".join(circle)
        time = format_quantity(self.now, "s")
        return (
            f"{self.compiled.factory.name}: deadlock at {time} of simulated time: {chain}. "
            "Each machine holds an item for which the next has no room. "
            "Give a buffer on this circle more places than items that can go round."
        )

    def _circle(self, culprit: int) -> Iterator[str]:
        names, model, state = self.compiled, self.compiled.model, self.state
        machine = culprit
        seen: set[int] = set()
        while machine not in seen:
            seen.add(machine)
            yield names.machines[machine]
            target = int(state.machines[machine]["target"])
            station = model.stations[int(model.buffers[target]["station"])]
            first = int(station["first_machine"])
            blocked = [
                k
                for k in range(first, first + int(station["n_machines"]))
                if state.machines[k]["phase"] == Phase.BLOCKED
            ]
            machine = blocked[0]
        yield names.machines[machine]


def _copy(state: State) -> State:
    return State._make(array.copy() for array in state)
