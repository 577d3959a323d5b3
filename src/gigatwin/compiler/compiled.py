"""A factory as the kernel runs it, and the names that lead back from its numbers."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.initial import fresh_state
from gigatwin.factory.factory import Factory
from gigatwin.kernel.layout import Model, State


@dataclass(frozen=True)
class CompiledModel:
    """A compiled factory: arrays for the kernel, names for people.

    Names stand in the order of the kernel's numbers. Stations of the description come first, then
    vehicle paths, then arrivals. Actors are machines, buffers, arrivals, resources, in this order.
    """

    factory: Factory
    model: Model
    stations: tuple[str, ...]
    lines: tuple[str, ...]
    """Production line of each station."""
    machines: tuple[str, ...]
    buffers: tuple[str, ...]
    formats: tuple[str, ...]
    resources: tuple[str, ...]
    arrivals: tuple[str, ...]
    defects: tuple[str, ...]
    stops: tuple[str, ...]
    """Name of each stop, ``station.stop``."""
    streams: tuple[str, ...]
    """Name of each random stream."""
    run_times: NDArray[np.float64]
    """Design run time of an item, or of a unit of content, by (station, format). [s]"""
    is_per_content: NDArray[np.bool_]
    """Whether a station's run time is that of a unit of content."""
    outputs: NDArray[np.int64]
    """Items that come out for each that goes in, by (station, format)."""
    products_per_item: NDArray[np.float64]
    """Products that an item leaving a station stands for, by (station, format)."""
    most_at_work: tuple[int, ...]
    """Units of each resource at the best of times."""
    leads_out_of_line: NDArray[np.bool_]
    """Whether a station hands all its items to another line."""
    capacities: tuple[int | None, ...]
    """Places of each buffer; None: unlimited."""

    def initial_state(
        self, seed: int = 1, replication: int = 0, *, trace: bool = False, records: int = 1 << 15
    ) -> State:
        """Return the state at simulated time 0: empty, every machine about to take in.

        Parameters
        ----------
        seed, replication : int
            Choose the random streams.
        trace : bool
            Whether event records are kept.
        records : int
            Records kept before the run has to be emptied of them.
        """
        return fresh_state(
            self.model, self.streams, seed, replication, records=records if trace else 0
        )

    @property
    def actors(self) -> tuple[str, ...]:
        """Name of each actor of the calendar; a machine's is its own, others say what they are."""
        others = {"buffers": self.buffers, "arrivals": self.arrivals, "resources": self.resources}
        return (
            *self.machines,
            *(f"{kind}.{name}" for kind, names in others.items() for name in names),
        )

    @functools.cached_property
    def stop_of_clock(self) -> NDArray[np.int64]:
        """Return the stop that each machine's clock of a stop belongs to, shape (n_clocks,)."""
        stations = self.model.stations[self.model.machine_station]
        return np.concatenate(
            [np.arange(s["first_stop"], s["first_stop"] + s["n_stops"]) for s in stations]
        ).astype(np.int64)
