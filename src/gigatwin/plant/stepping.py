"""A plant scan by scan: what goes out after each, and how fast the scans follow each other."""

import asyncio
import math

from gigatwin.errors import SimulationError
from gigatwin.plant.misbehaviour import Channel, Misbehaviour
from gigatwin.plant.plant import VirtualPlant
from gigatwin.telemetry.readings import Batch


class Stepper:
    """Advances a plant by one scan after the other, and sends what it says through a channel."""

    def __init__(
        self, plant: VirtualPlant, scan: float, misbehaviour: Misbehaviour | None = None
    ) -> None:
        """Begin where the plant is.

        Parameters
        ----------
        plant : VirtualPlant
            The plant.
        scan : float
            Plant time between two messages, above 0. [s]
        misbehaviour : Misbehaviour, optional
            What goes wrong on the way.
        """
        if not scan > 0:
            message = f"scan of {scan:g} s; must be more than 0 s"
            raise SimulationError(message)
        self.plant = plant
        self.scan = scan
        self.channel = Channel(misbehaviour or Misbehaviour(), plant.now - plant.elapsed)
        self.n_gaps = 0
        self._wants_snapshot = True

    def ask_for_snapshot(self) -> None:
        """Let the present values of all tags come before the next scan."""
        self._wants_snapshot = True

    def step(self, received: float | None = None) -> list[Batch]:
        """Advance by one scan; return what arrives.

        A snapshot that was asked for comes before what changes in this scan.

        Parameters
        ----------
        received : float, optional
            Clock of who listens, seconds since 1970 in UTC; left out: that of the plant. [s]
        """
        plant, channel = self.plant, self.channel
        batches: list[Batch] = []
        is_away = channel.is_silent(plant.elapsed)
        if not is_away and (channel.has_returned(plant.elapsed) or self._wants_snapshot):
            self._wants_snapshot = False
            clock = plant.now if received is None else received
            batches += channel.send(plant.snapshot(), plant.elapsed, clock, is_snapshot=True)
        readings = plant.advance(self.scan)
        if is_away:
            # Nobody sees what happens while the server is away, nor in the scan in which it comes.
            channel.fall_silent(readings)
            return batches
        clock = plant.now if received is None else received
        batches += channel.send(readings, plant.elapsed, clock)
        if any(batch.n_lost for batch in batches):
            self.n_gaps += 1
            self._wants_snapshot = True
        return batches


class Pace:
    """Keeps plant time in step with the wall clock times a speed."""

    def __init__(self, speed: float) -> None:
        """Begin now.

        Parameters
        ----------
        speed : float
            Plant time over wall time, above 0; infinite: as fast as it goes. [-]
        """
        if not speed > 0:
            message = f"speed {speed:g}; must be more than 0, or infinite"
            raise SimulationError(message)
        self.speed = speed
        self._begin: float | None = None
        self._first = 0.0

    async def wait(self, elapsed: float) -> None:
        """Wait until it is time for a plant time since the start, in seconds."""
        now = asyncio.get_running_loop().time()
        if self._begin is None:
            self._begin, self._first = now, elapsed
        due = 0.0
        if not math.isinf(self.speed):
            due = self._begin + (elapsed - self._first) / self.speed - now
        # Others get their turn even when the plant is late.
        await asyncio.sleep(max(0.0, due))
