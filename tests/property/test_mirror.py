"""A mirror that sees every event knows where every item is and what every machine does."""

import json
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_reading import contents_of
from gigatwin.events.log import event_table
from gigatwin.simulation.event_names import event_names
from gigatwin.standards.machine_states import MachineState
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_contents import live_contents
from gigatwin.twin.replay import event_rows
from tests.property.comparison import run_kernel
from tests.property.strategies import build, descriptions

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}

ORIGIN = 1_767_225_600.0


def serials(items):
    return [item.serial for item in items]


@settings(max_examples=10 if INTERPRETED else 40)
@given(descriptions().map(build).map(compile_factory), st.integers(0, 1000), st.integers(0, 800))
def test_mirror_of_all_events_is_the_state_itself(compiled, seed, quarters):
    run, is_deadlocked = run_kernel(compiled, quarters / 4, seed=seed)
    if is_deadlocked:
        return
    rows = list(event_rows(event_table(run.records(), event_names(compiled)), ORIGIN))
    mirror = Mirror(compiled, origin=ORIGIN)
    mirror.events(rows[: len(rows) // 2])
    kept = json.loads(json.dumps(mirror.state()))
    mirror = Mirror(compiled)
    mirror.restore(kept)
    mirror.events(rows[len(rows) // 2 :])
    truth, found = contents_of(compiled, run.state), live_contents(mirror, ORIGIN + quarters / 4)
    for station in mirror.layout.stations:
        machines = compiled.machines[station.first : station.first + station.n_machines]
        buffer = compiled.buffers[station.buffer] if station.buffer >= 0 else None
        places = [truth, found]
        if station.ports or station.is_batch:
            # What a machine has taken but does not work on yet no row tells, or of a batch only the
            # first; the mirror may have it in the buffer before the machine.
            there, seen = (
                sorted(
                    serial
                    for group in (
                        contents.buffers[buffer] if buffer else (),
                        *(contents.machines[name].items for name in machines),
                    )
                    for serial in serials(group)
                )
                for contents in places
            )
            assert len(seen) == len(there), station.name
            assert seen == there or max(station.counts) > 1, station.name
            continue
        if buffer:
            assert serials(found.buffers[buffer]) == serials(truth.buffers[buffer]), buffer
        for name in machines:
            if max(station.counts) == 1:
                assert serials(found.machines[name].items) == serials(truth.machines[name].items)
            assert len(found.machines[name].items) == len(truth.machines[name].items), name
    for name, machine in truth.machines.items():
        mirrored = found.machines[name]
        assert mirrored.stop == machine.stop
        assert mirrored.is_interrupted == machine.is_interrupted
        assert mirrored.target == machine.target
        if not (machine.items and machine.state is MachineState.STARVED):
            assert mirrored.state is machine.state, name
