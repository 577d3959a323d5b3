"""Crews, orders and arrivals of a state that is made from contents."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_contents import LiveClock, LiveContents
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.kernel import rows
from gigatwin.kernel.calendar import schedule
from gigatwin.kernel.layout import State


def fill_pools(
    compiled: CompiledModel, state: State, now: float, in_use: NDArray[np.int64]
) -> None:
    """Set how many of each resource there are at this time of the calendar, and how many are free.

    Who waits gets what is free, in order, as far as the contents left some free.
    """
    model = compiled.model
    n_before = sum(int(n) for n in model.sizes[:3])
    for index in range(len(compiled.resources)):
        resource, pool = model.resources[index], state.pools[index]
        n, capacity = int(resource["n_shifts"]), int(resource["capacity"])
        if n:
            steps = model.shifts[int(resource["first_shift"]) :][:n]
            period = float(resource["period"])
            turn = int(now // period)
            begun = turn * n + int((turn * period + steps["at"] <= now).sum())
            capacity = int(steps[(begun - 1) % n]["capacity"])
            pool["shift"] = begun
            if n > 1:
                time = (begun // n) * period + float(steps[begun % n]["at"])
                schedule(state.clock, state.tree, n_before + index, time)
        pool["capacity"] = capacity
        pool["free"] = capacity - int(in_use[index])
        pool["since"] = now
        row = int(resource["row"])
        first = int(state.rows[row]["first"])
        while first >= 0 and pool["free"] >= state.machines[first]["needs_crew"]:
            pool["free"] -= state.machines[first]["needs_crew"]
            rows.to_agenda(state, rows.take_first(state, row))
            first = int(state.rows[row]["first"])


def fill_supplies(compiled: CompiledModel, state: State, contents: LiveContents) -> None:
    """Set where stations that make items by the order book stand."""
    for name, supply in contents.supplies.items():
        record = state.supplies[compiled.stations.index(name)]
        record["order"] = supply.order
        record["remaining"] = supply.remaining


def fill_arrivals(
    compiled: CompiledModel,
    state: State,
    contents: LiveContents,
    laws: ResidualLaws,
    uniform: Callable[[str], float],
) -> None:
    """Schedule the next arrival of each kind; ``uniform`` gives the number of a name."""
    first = len(compiled.machines) + len(compiled.buffers)
    for index, name in enumerate(compiled.arrivals):
        known = contents.arrivals.get(name) or LiveClock()
        left = known.residual
        if left is None:
            law = int(compiled.model.arrivals[index]["law"])
            u = uniform(f"{name}/interval")
            if known.elapsed is None or not known.is_since_stop:
                left = laws.until_next(law, known.elapsed or 0.0, u)
            else:
                left = laws.left(law, known.elapsed, u)
        schedule(state.clock, state.tree, first + index, contents.now + left)
