"""The serial line in salabim, in the fastest form found.

Processes with ``yield`` instead of greenlets, trace and monitors off, buffers as plain numbers: its
stores, which make a component of each item and look through all of them, are several times slower.
"""

import random
from collections.abc import Iterator

import salabim  # type: ignore[import-untyped]  # salabim ships no types

from benchmarks.serial_line import MEAN_TIME, PLACES, LineRun, SerialLine


def simulate_line(line: SerialLine, seed: int) -> LineRun:
    """Simulate the line without breakdowns."""
    env = salabim.Environment(trace=False, yieldless=False)
    expovariate = random.Random(seed).expovariate
    n = line.n_machines
    levels = [0] * n
    visits = [0] * n

    class Machine(salabim.Component):  # type: ignore[misc]  # salabim ships no types
        """A machine; it sleeps while it is starved or blocked, and its neighbours wake it."""

        def setup(self, index: int) -> None:
            self.index = index
            self.is_starved = False
            self.is_blocked = False
            self.status.monitor(False)  # noqa: FBT003 - its signature
            self.mode.monitor(False)  # noqa: FBT003

        def process(self) -> Iterator[None]:
            index = self.index
            before = machines[index - 1] if index > 0 else None
            after = machines[index + 1] if index + 1 < n else None
            while True:
                if before is not None:
                    if levels[index] == 0:
                        self.is_starved = True
                        yield self.passivate()
                    levels[index] -= 1
                    if before.is_blocked:
                        before.is_blocked = False
                        before.activate()
                yield self.hold(expovariate(1.0 / MEAN_TIME))
                visits[index] += 1
                if after is not None:
                    if levels[index + 1] == PLACES:
                        self.is_blocked = True
                        yield self.passivate()
                    levels[index + 1] += 1
                    if after.is_starved:
                        after.is_starved = False
                        after.activate()

    machines = [Machine(index=index) for index in range(n)]
    env.run(line.horizon)
    return LineRun(line, tuple(visits))
