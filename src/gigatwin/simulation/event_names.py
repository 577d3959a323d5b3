"""The names of a compiled factory, in the order of the numbers in its event records."""

import numpy as np

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.events.log import EventNames
from gigatwin.kernel.layout import Cause, Kind


def event_names(compiled: CompiledModel) -> EventNames:
    """Return the names behind the numbers of a factory's event records."""
    model = compiled.model
    ports = [compiled.buffers[int(buffer)] for buffer in model.ports]
    # One list of all that a detail can point to: nothing, targets, crews, stops, ports.
    groups = [[""], ["scrap", "out", *compiled.buffers], ["", *compiled.resources]]
    groups += [list(compiled.stops), ports]
    names = [name for group in groups for name in group]
    starts = np.cumsum([0, *(len(group) for group in groups)])
    details = tuple(dict.fromkeys(names))
    place = {name: index for index, name in enumerate(details)}
    stations = model.stations[model.machine_station]
    base = np.zeros((len(Kind), len(stations)), dtype=np.int32)
    base[[Kind.LEAVE, Kind.BLOCK]] = starts[1] + 2
    base[[Kind.CALL, Kind.SETUP]] = starts[2] + 1
    base[[Kind.STOP, Kind.REPAIR, Kind.RESUME]] = starts[3] + stations["first_stop"]
    base[Kind.LOAD] = starts[4] + stations["first_port"]
    return EventNames(
        kinds=tuple(kind.name for kind in Kind),
        causes=tuple(cause.name for cause in Cause),
        machines=compiled.machines,
        actors=compiled.actors,
        formats=compiled.formats,
        details=details,
        detail_base=base,
        detail_codes=np.array(
            [place[name] for name in names], dtype=np.min_scalar_type(len(details))
        ),
    )
