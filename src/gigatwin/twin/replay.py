"""An event log as the rows that a mirror takes in: a recorded plant, or a simulated one."""

from collections.abc import Iterator

from gigatwin.events.log import EventTable
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow


def event_rows(events: EventTable, origin: float = 0.0) -> Iterator[EventRow]:
    """Yield the events of a log as rows, in their order.

    Parameters
    ----------
    events : EventTable
        An event log of one line.
    origin : float
        Clock of the source at time 0 of the log, seconds since 1970 in UTC. [s]
    """
    states = {state.name: state for state in MachineState}
    columns = [
        events[name].to_list()
        for name in ("time", "machine", "kind", "state", "item", "format", "detail")
    ]
    for time, machine, kind, state, item, product_format, detail in zip(*columns, strict=True):
        yield EventRow(
            time + origin, machine, kind, states[state], item, product_format, detail or ""
        )
