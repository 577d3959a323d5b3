"""What the tags of a plant say whose history is a simulated trace."""

from gigatwin.standards.machine_states import PACKML_MODE, PACKML_STATE, MachineState
from gigatwin.telemetry import (
    PACKTAGS,
    Quantity,
    Reading,
    TagMapping,
    TagMeaning,
    Tracking,
    TrackingKind,
)

BEGIN = 0.0
"""Source time of time 0 of the trace; 0, so that times stay exact."""
TOLD = tuple(kind.value for kind in TrackingKind)
QUANTITIES = (
    Quantity.STATE,
    Quantity.MODE,
    Quantity.BLOCKED,
    Quantity.STARVED,
    Quantity.STOP_REASON,
    Quantity.PROCESSED,
    Quantity.TRACKING,
)
CREW = "waiting_for_crew"
STANDING = {MachineState.BREAKDOWN, MachineState.MICRO_STOP, MachineState.PLANNED_STOP}


def tag(machine, quantity):
    return f"{machine.replace('#', '_')}/{PACKTAGS[quantity]}"


def mapping_of(machines, quantities=QUANTITIES):
    return TagMapping(
        source="test",
        tags={
            tag(machine, quantity): TagMeaning(element=machine, quantity=quantity)
            for machine in machines
            for quantity in quantities
        },
    )


def shown(state, reason):
    """Return what the tags of a machine in a state say."""
    return {
        Quantity.STATE: int(PACKML_STATE[state]),
        Quantity.MODE: int(PACKML_MODE[state]),
        Quantity.BLOCKED: state is MachineState.BLOCKED,
        Quantity.STARVED: state is MachineState.STARVED,
        Quantity.STOP_REASON: CREW if state is MachineState.WAITING_FOR_CREW else reason,
    }


class _Device:
    """The tags of one machine."""

    def __init__(self, machine, readings):
        self.machine = machine
        self.readings = readings
        self.n_telegrams = 0
        self.n_left = 0
        self.shown = {}
        self.next = None
        self.show(MachineState.STARVED, "", 0.0)

    def say(self, quantity, value, time):
        self.readings.append(Reading(tag(self.machine, quantity), value, BEGIN + time))

    def show(self, state, reason, time):
        for quantity, value in shown(state, reason).items():
            if self.shown.get(quantity) != value:
                self.shown[quantity] = value
                self.say(quantity, value, time)

    def tell(self, row):
        self.n_telegrams += 1
        telegram = Tracking(
            self.n_telegrams,
            TrackingKind(row["kind"]),
            row["item"],
            row["format"],
            row["detail"],
        )
        self.say(Quantity.TRACKING, telegram.text, row["time"])
        if row["kind"] == "LEAVE":
            self.n_left += 1
            self.say(Quantity.PROCESSED, self.n_left, row["time"])

    def change(self, row):
        reason = row["detail"].partition(".")[2] if row["kind"] in {"STOP", "REPAIR"} else ""
        state = MachineState[row["state"]]
        if state in STANDING:
            reason = reason or self.shown[Quantity.STOP_REASON]
        self.next = state, reason


def readings_of(trace, machines):
    """Return readings of all tags, in the order in which they arise; states at ends of moments."""
    readings = []
    devices = {machine: _Device(machine, readings) for machine in machines}
    for (time,), rows in trace.group_by("time", maintain_order=True):
        changed = {}
        for row in rows.iter_rows(named=True):
            device = changed[row["machine"]] = devices[row["machine"]]
            device.change(row)
            if row["kind"] in TOLD:
                device.tell(row)
        for device in changed.values():
            device.show(*device.next, time)
    return readings
