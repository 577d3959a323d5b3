"""What states alone do not tell, and which further signal would settle it."""

from collections.abc import Iterator, Mapping

from gigatwin.learning.provenance import Unknown
from gigatwin.learning.states.learned_machines import LearnedMachine
from gigatwin.learning.states.state_flow import MachineFlow
from gigatwin.learning.times.durations import FEW

_STOP_STATES = {
    "breakdown": "breakdown",
    "micro_stop": "micro_stop",
    "planned_stop": "planned",
}
_MUCH = 0.01
_NEARLY_ALL = 0.95


def unknowns_of(machines: Mapping[str, LearnedMachine], flow: MachineFlow) -> tuple[Unknown, ...]:
    """Return what the states do not tell, station by station."""
    same = {name for side in flow.alike.values() for name in side[1:]}
    first = tuple(machine for name, machine in machines.items() if name not in same)
    found = [item for machine in first for item in _of_machine(machine)]
    return (*found, *_of_line(first, flow))


def _of_machine(machine: LearnedMachine) -> Iterator[Unknown]:
    name = machine.station
    if not machine.has_items:
        yield Unknown(
            f"{name}.time",
            "Which stretch of work belongs to which part: a stretch of work until the machine "
            f"waits or is set up stands for one item, {machine.time.mean.value:.4g} s on average.",
            "A part counter that is kept up, or the part beside each state.",
        )
    elif not machine.time.is_identified:
        yield Unknown(
            f"{name}.time",
            "The processing time: its mean is not known to within 10 % "
            f"(n = {machine.time.mean.n}).",
            "A longer log, or the nominal cycle time.",
        )
    yield from _of_stops(machine)
    if machine.setup is not None:
        yield Unknown(
            f"{name}.changeover",
            "From which format to which the machine was set up: setups stand as planned stops "
            "after random working times.",
            "The format or program beside each state.",
        )
    held = [state for state in ("blocked", "waiting_for_crew") if _share(machine, state) > _MUCH]
    if held:
        total = sum(_share(machine, state) for state in held)
        yield Unknown(
            f"{name} {' and '.join(held)}",
            f"What held it up for {total:.1%} of the time: it waits for work instead.",
            "The items that machines pass on to each other, or who serves which machine.",
        )
    if machine.recorded_ratio < _NEARLY_ALL:
        yield Unknown(
            f"{name} gaps",
            f"What it did in {1 - machine.recorded_ratio:.0%} of the time between its first and "
            "its last record: taken as no time at all.",
            "A record without gaps, or the times at which the machine or its adapter was off.",
        )


def _of_stops(machine: LearnedMachine) -> Iterator[Unknown]:
    known = {stop.kind: stop for stop in machine.stops}
    for state, kind in _STOP_STATES.items():
        stop = known.get(kind)  # type: ignore[call-overload]  # a kind of stop
        if stop is None and state in machine.shares:
            yield Unknown(
                f"{machine.station}.stops.{kind}",
                f"How long its stops last and how often they come: {_share(machine, state):.1%} of "
                f"the time in '{state}', but none seen from begin to end; left out.",
                "A longer log, with the time after each stop.",
            )
        elif stop is not None and stop.n_stops < FEW:
            yield Unknown(
                f"{machine.station}.stops.{kind}",
                f"How often it stops: only {stop.n_stops} stops seen.",
                "A longer log.",
            )


def _of_line(machines: tuple[LearnedMachine, ...], flow: MachineFlow) -> Iterator[Unknown]:
    names = {machine.name: machine.station for machine in machines}
    joined = {name for line in flow.lines if len(line) > 1 for name in line}
    if len(joined) < len(machines):
        yield Unknown(
            "flow",
            "Which machine gives its items to which, and the places between them: machines whose "
            "states name no common item stand for themselves.",
            "The item or order beside each state, or a log of items at machines.",
        )
    for line in flow.lines:
        if len(line) > 1:
            yield Unknown(
                ", ".join(f"{names[name]}.buffer.capacity" for name in line[1:]),
                "The places between machines: taken as unlimited, or as 1 each where the supply is "
                "endless.",
                "The number of places, from a drawing or a count.",
            )
    if joined and flow.work < _NEARLY_ALL * flow.time_in_line:
        yield Unknown(
            "waiting between machines",
            f"What an item does while no machine works on it: {flow.time_in_line:.4g} s from its "
            f"first begin to its last end, {flow.work:.4g} s of them work. Only the work is in the "
            "description, and what queues make of it.",
            "When each item enters and leaves each machine.",
        )
    if not all(machine.is_endless for machine in machines):
        yield Unknown(
            "arrivals",
            "When work came: only its begins are recorded, after any wait in front of the machine.",
            "The moment at which each item or order is handed over.",
        )
    elif any(machine.interval is None for machine in machines):
        yield Unknown(
            "arrivals",
            "How often work comes: there are no two begins of which the time between is known; the "
            "supply is endless.",
            "A log of more items or orders.",
        )
    if any(machine.energy is None for machine in machines):
        yield Unknown(
            "energy",
            "What machines draw in each state.",
            "The energy of each interval with its unit, or the power in each state.",
        )
    if any(machine.stops for machine in machines):
        yield Unknown(
            "repair crews",
            "Whether machines wait for the same people to be repaired: stops include any such "
            "wait.",
            "Who did each repair, and when it was called.",
        )


def _share(machine: LearnedMachine, state: str) -> float:
    return machine.shares[state].value if state in machine.shares else 0.0
