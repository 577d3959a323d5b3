"""What happened: the trace of event records, and the time of machines in states."""

from gigatwin.kernel._jit import jit_inline
from gigatwin.kernel.layout import State
from gigatwin.standards.machine_states import MachineState

_STARVED = int(MachineState.STARVED)
_BLOCKED = int(MachineState.BLOCKED)
_NO_ORDER = int(MachineState.NO_ORDER)


@jit_inline
def write(
    state: State,
    kind: int,
    machine: int,
    item: int,
    machine_state: int,
    cause: int,
    because: int,
    detail: int,
) -> None:
    """Append a record when the run is traced; ``item`` is an index, -1 for none."""
    control = state.control[0]
    if control["traces"] == 0:
        return
    n = control["n_records"]
    if n >= state.records.shape[0]:
        control["overflow"] = 1
        return
    record = state.records[n]
    record["time"] = control["now"]
    record["machine"] = machine
    record["kind"] = kind
    record["state"] = machine_state
    record["cause"] = cause
    record["because"] = because
    record["detail"] = detail
    if item >= 0:
        record["item"] = state.items[item]["serial"]
        record["format"] = state.items[item]["format"]
    else:
        record["item"] = -1
        record["format"] = 255
    control["n_records"] = n + 1


@jit_inline
def enter(state: State, machine: int, machine_state: int, now: float) -> None:
    """Close the time of a machine in its state and open another one."""
    r = state.machines[machine]
    old = r["state"]
    if old == machine_state:
        return
    state.durations[machine, old] += now - r["since"]
    r["since"] = now
    r["state"] = machine_state
    if (old == _STARVED or old == _BLOCKED or old == _NO_ORDER) and not (
        machine_state == _STARVED or machine_state == _BLOCKED or machine_state == _NO_ORDER
    ):
        r["n_active"] += 1
