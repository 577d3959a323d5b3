"""Rows and factories for the tests of the watch."""

from collections.abc import Mapping, Sequence

import numpy as np

from gigatwin.factory.factory import Factory
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow

MEAN, CV = 6.0, 0.03


def press(machines: int = 1, **station: object) -> Factory:
    """Return a factory of one station."""
    law = {"distribution": "gamma", "mean": f"{MEAN} s", "cv": CV}
    fields = {"time": law, "machines": machines, **station}
    if "rate" in station:
        del fields["time"]
    return Factory.model_validate({"name": "shop", "stations": {"press": fields}})


def times(rng: np.random.Generator, n: int, mean: float = MEAN, cv: float = CV) -> list[float]:
    """Return cycle times with a gamma law."""
    return rng.gamma(cv**-2, mean * cv**2, n).tolist()


def work(
    cycles: Mapping[str, Sequence[float]], begin: float = 0.0, product_format: str = "item"
) -> list[EventRow]:
    """Return the rows of machines that work without a pause, in the order of time."""
    rows = []
    for machine, lengths in cycles.items():
        now = begin
        for item, length in enumerate(lengths):
            rows.append(
                EventRow(now, machine, "START", MachineState.EXECUTING, item, product_format)
            )
            now += length
            rows.append(
                EventRow(now, machine, "LEAVE", MachineState.STARVED, item, product_format, "out")
            )
    return sorted(rows, key=lambda row: row.time)
