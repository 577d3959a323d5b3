"""The elements of a factory that tags can be mapped to."""

import numpy as np

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.telemetry.elements import Elements


def elements_of(compiled: CompiledModel) -> Elements:
    """Return machines, buffers, formats and stops of a compiled factory, and nominal rates."""
    model = compiled.model
    rates = {}
    for machine, station in zip(compiled.machines, model.machine_station, strict=True):
        run_time = float(compiled.run_times[int(station)][0])
        if not compiled.is_per_content[int(station)] and 0 < run_time < np.inf:
            rates[machine] = 1.0 / run_time
    return Elements(
        machines=compiled.machines,
        buffers=compiled.buffers,
        formats=compiled.formats,
        stops=compiled.stops,
        nominal_rates=rates,
    )
