"""The names of a compiled factory, in the order of the numbers in its event records."""

import numpy as np

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.events.log import EventNames
from gigatwin.kernel.layout import Cause, Kind


def event_names(compiled: CompiledModel) -> EventNames:
    """Return the names behind the numbers of a factory's event records."""
    model = compiled.model
    inputs = [name.split(".", 1)[1] for name in _ports(compiled)]
    stops = [name.split(".", 1)[1] for name in compiled.stops]
    details = list(
        dict.fromkeys(
            ["", "out", "scrap", *compiled.buffers, *compiled.resources, *stops, *inputs]
        )
    )
    place = {name: index for index, name in enumerate(details)}
    stations = model.stations[model.machine_station]

    def local(names: list[str], first: str, count: str) -> np.ndarray:
        codes = np.zeros((len(stations), 2 + max(1, int(stations[count].max()))), dtype=np.int32)
        for machine, station in enumerate(stations):
            begin = int(station[first])
            for k in range(int(station[count])):
                codes[machine, k + 2] = place[names[begin + k]]
        return codes

    targets = np.array([[place["scrap"], place["out"], *(place[b] for b in compiled.buffers)]])
    crews = np.array([[0, 0, *(place[r] for r in compiled.resources)]])
    of_stops = local(stops, "first_stop", "n_stops")
    return EventNames(
        kinds=tuple(kind.name for kind in Kind),
        causes=tuple(cause.name for cause in Cause),
        machines=compiled.machines,
        actors=compiled.actors,
        formats=compiled.formats,
        details=tuple(details),
        detail_codes={
            "LEAVE": targets,
            "BLOCK": targets,
            "CALL": crews,
            "SETUP": crews,
            "LOAD": local(inputs, "first_port", "n_ports"),
            "STOP": of_stops,
            "REPAIR": of_stops,
            "RESUME": of_stops,
        },
    )


def _ports(compiled: CompiledModel) -> list[str]:
    return [compiled.buffers[int(buffer)] for buffer in compiled.model.ports]
