"""Machines learned from their states, written as a factory description."""

from collections.abc import Mapping
from typing import Any

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.resources import Shifts
from gigatwin.factory.routing import OUT, Next
from gigatwin.factory.stations import Buffer, DiscreteStation, Energy, Recorded
from gigatwin.factory.stops import Stop
from gigatwin.learning.states.learned_machines import LearnedMachine
from gigatwin.learning.states.state_flow import MachineFlow, routes
from gigatwin.learning.times.laws import LawChoice

_UNLIMITED = Buffer(capacity="unlimited")
_ONE_PLACE = Buffer(
    capacity=1,
    estimates={
        "capacity": Estimate(value=1.0, low=0.0, n=0, method="assumed", is_identified=False)
    },
)


def describe_machines(
    name: str,
    machines: Mapping[str, LearnedMachine],
    flow: MachineFlow,
    line_intervals: Mapping[str, LawChoice | None],
    hours: Shifts | None,
) -> Factory:
    """Return the description of machines of which only the states are known.

    Parameters
    ----------
    name : str
        Name of the factory.
    machines : Mapping
        Machines by their name in the log.
    flow : MachineFlow
        How they follow each other.
    line_intervals : Mapping
        First machine of each line with several machines to the time between its items; None where
        no two items are known.
    hours : Shifts, optional
        When they work.
    """
    stations: dict[str, DiscreteStation] = {}
    arrivals: dict[str, Arrivals] = {}
    ordered = [line for line in flow.lines if len(line) > 1]
    in_lines = {machine for line in ordered for machine in line}
    in_lines |= {other for names in flow.alike.values() for other in names[1:]}
    taken = {machine.station for machine in machines.values()}
    for line in ordered:
        key = machines[line[0]].station
        interval = line_intervals[line[0]]
        for machine in line:
            ways = {
                OUT if way == OUT else machines[way].station: n
                for way, n in flow.ways[machine].items()
            }
            side = [machines[other] for other in flow.alike.get(machine, (machine,))]
            buffer: Buffer | None = _UNLIMITED
            if interval is None and _is_one_way(line, flow):
                # Without places to wait in, an endless supply would fill the line for ever.
                buffer = None if machine in flow.first else _ONE_PLACE
            stations[side[0].station] = _station(side, routes(ways), key, buffer)
        if interval is not None:
            first = {machines[way].station: n for way, n in flow.first.items() if way in line}
            arrivals[_free(f"{key}-items", taken)] = _arrivals(interval, routes(first))
    for item in machines.values():
        if item.name in in_lines:
            continue
        is_fed = item.interval is not None and not item.is_endless
        buffer = _UNLIMITED if is_fed else None
        stations[item.station] = _station([item], OUT, item.station, buffer)
        if item.interval is not None and is_fed:
            name_of_items = _free(f"{item.station}-items", taken)
            arrivals[name_of_items] = _arrivals(item.interval, item.station)
    return Factory(
        name=name,
        description=f"Learned from the states of {len(machines)} machines.",
        stations=dict(stations),
        arrivals=arrivals,
        working_hours=hours,
    )


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no station has."""
    return _free(f"{name}-2", taken) if name in taken else name


def _is_one_way(line: tuple[str, ...], flow: MachineFlow) -> bool:
    """Return whether no item ever comes back, so that finite places cannot lock the line up."""
    place = {name: at for at, name in enumerate(line)} | {OUT: len(line)}
    return all(place[way] > place[name] for name in line for way in flow.ways[name])


def _station(
    side: list[LearnedMachine], way: Next, line: str, buffer: Buffer | None
) -> DiscreteStation:
    """Return the station of machines that are in the same states at all times."""
    item = side[0]
    estimates: dict[str, Estimate] = {}
    if not isinstance(item.time.law, Distribution | Empirical):
        estimates["time"] = item.time.mean
    more: dict[str, Any] = {}
    energy = _energy(side)
    if energy is not None:
        more["energy"] = energy
    if buffer is not None:
        more["buffer"] = buffer
    names = tuple(machine.name for machine in side)
    text = f"The machine '{names[0]}'."
    if len(names) > 1:
        text = f"The machines {' and '.join(repr(name) for name in names)}, side by side, as one."
    basis = "All work on an item." if item.has_items else "Work until it waits or is set up."
    text = " ".join([text, basis, item.time.reason, *item.time.notes])
    return DiscreteStation(
        description=text,
        recorded_as=Recorded(activities=names, machines=names),
        line=line,
        next=way,
        time=item.time.law,
        stops=_stops(item),
        estimates=estimates,
        **more,
    )


def _stops(item: LearnedMachine) -> dict[str, Stop]:
    stops: dict[str, Stop] = {stop.kind: stop.to_stop() for stop in item.stops}
    if item.setup is not None:
        stops["setup"] = item.setup.to_stop()
    return stops


def _energy(side: list[LearnedMachine]) -> Energy | None:
    known = [machine.energy.energy for machine in side if machine.energy is not None]
    if len(known) < len(side):
        return None
    total = known[0]
    for other in known[1:]:
        estimates = {
            name: _sum(total.estimates[name], other.estimates[name])
            for name in total.estimates.keys() & other.estimates.keys()
        }
        states = {
            state: total.states.get(state, 0.0) + other.states.get(state, 0.0)
            for state in (*total.states, *(s for s in other.states if s not in total.states))
        }
        executing = total.executing + other.executing
        total = Energy(executing=executing, states=states, estimates=estimates)
    return total


def _sum(one: Estimate, other: Estimate) -> Estimate:
    high = None if one.high is None or other.high is None else one.high + other.high
    return one.model_copy(
        update={
            "value": one.value + other.value,
            "low": one.low + other.low,
            "high": high,
            "n": min(one.n, other.n),
            "method": f"{one.method}, sum of machines",
            "is_identified": one.is_identified and other.is_identified,
        }
    )


def _arrivals(choice: LawChoice, way: Next) -> Arrivals:
    is_constant = not isinstance(choice.law, Distribution | Empirical)
    return Arrivals(
        interval=choice.law,
        next=way,
        description=f"From begin to begin of work. {' '.join([choice.reason, *choice.notes])}",
        estimates={"interval": choice.mean} if is_constant else {},
    )
