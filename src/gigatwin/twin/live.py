"""The twin that follows a plant: batches in, present state out; it can be killed at any moment.

Every batch is kept by the historian before anything else is done with it. The checkpoint says at
which row of the historian the state stands, so a twin that starts again goes on from there, and
takes in nothing twice.
"""

import time
from typing import Any

from gigatwin.compiler.build import compile_factory
from gigatwin.errors import TelemetryError
from gigatwin.factory.factory import Factory
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.intake import Intake
from gigatwin.telemetry.mapping import TagMapping
from gigatwin.telemetry.observations import Taken
from gigatwin.telemetry.ports import Historian
from gigatwin.telemetry.readings import Batch
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.changes import ChangeDesk
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.store import TwinStore
from gigatwin.twin.watch import Finding, Watch

_VERSION = 1
_ITEMS_SHOWN = 20
_REPLAYED_AT_ONCE = 100_000
_READINGS_A_BATCH = 2_000
"""Readings of a replayed batch; few enough that rows held back come out in their order."""


class LiveTwin:
    """A factory's model in step with a plant.

    Parameters
    ----------
    factory : Factory
        The model.
    mapping : TagMapping
        What the tags of the plant are; confirmed by a person.
    historian : Historian
        Keeps every reading; this twin is its only writer.
    store : TwinStore
        Keeps everything else.
    desk : ChangeDesk, optional
        Changes that are watched; left out: none.

    Raises
    ------
    TelemetryError
        If nobody has confirmed the mapping.
    """

    def __init__(
        self,
        factory: Factory,
        mapping: TagMapping,
        historian: Historian,
        store: TwinStore,
        *,
        desk: ChangeDesk | None = None,
    ) -> None:
        if not mapping.is_confirmed:
            message = (
                f"mapping of {mapping.source or 'the plant'}: confirmed_by is empty; must name who "
                "checked it. Read it, then write your name behind confirmed_by."
            )
            raise TelemetryError(message)
        self.compiled = compile_factory(factory)
        self.intake = Intake(mapping)
        self.mirror = Mirror(self.compiled)
        self.watch = Watch(self.compiled)
        self.desk = desk
        self.store = store
        self.row = 0
        """Row of the historian that the state stands at."""
        self._historian = historian
        self._last_received = 0.0
        self._lag: float | None = None

    @property
    def now(self) -> float:
        """Present time by the plant's clock, in seconds since 1970; minus infinity at first."""
        return self.intake.now

    def recover(self) -> int:
        """Go on from the last checkpoint with what the historian kept since; return its rows.

        To be called once, before the first batch.

        Raises
        ------
        TelemetryError
            If the checkpoint is of another factory or version.
        """
        kept = self.store.checkpoint()
        if kept is not None:
            if kept.get("version") != _VERSION:
                message = (
                    f"{self.store.folder}: a checkpoint of version {kept.get('version')}; needs "
                    f"{_VERSION}. Delete checkpoint.json: all is read again from the historian."
                )
                raise TelemetryError(message)
            self.intake.restore(kept["intake"])
            self.mirror.restore(kept["mirror"])
            self.watch.restore(kept["watch"])
            self.row = int(kept["row"])
        n = 0
        while rows := self._historian.after(self.row, _REPLAYED_AT_ONCE):
            for begin in range(0, len(rows), _READINGS_A_BATCH):
                part = rows[begin : begin + _READINGS_A_BATCH]
                readings = tuple(reading for _, reading in part)
                # When they were received is not kept; the clock is taken to have gone on evenly.
                newest = max(reading.source_time for reading in readings)
                self._digest(Batch(readings, newest - (self.intake.clock.offset or 0.0)))
                self.row = part[-1][0]
            n += len(rows)
        return n

    def take(self, batch: Batch) -> list[Finding]:
        """Keep a batch and follow it; return what is new in the watch."""
        if not batch.readings:
            return []
        self.row = self._historian.append(batch.readings)
        self._last_received = batch.received
        found = self._digest(batch)
        self._lag = time.time() - batch.received
        return found

    def _digest(self, batch: Batch) -> list[Finding]:
        return self._follow(self.intake.take(batch))

    def settle(self) -> list[Finding]:
        """Follow what was held back and need not wait any longer, though nothing new has come."""
        if self.now == float("-inf"):
            return []
        # How far the plant's clock has gone on since the last batch is known only at real time.
        return self._follow(self.intake.flush(self.now))

    def _follow(self, taken: Taken) -> list[Finding]:
        self.mirror.take(taken)
        for observation in taken.observations:
            if observation.quantity is Quantity.SPEED_SET_POINT and isinstance(
                observation.value, int | float
            ):
                self.watch.set_speed(observation.element, float(observation.value))
        found = self.watch.take(taken.events)
        if self.desk is not None:
            self.desk.observe(taken.observations)
        return found

    def keep(self) -> None:
        """Keep the present state, in place of the one before."""
        self.store.keep_checkpoint(
            {
                "version": _VERSION,
                "row": self.row,
                "intake": self.intake.state(),
                "mirror": self.mirror.state(),
                "watch": self.watch.state(),
            }
        )

    def status(self) -> dict[str, Any]:
        """Return what people ask for, as plain data; times in seconds since 1970, UTC."""
        ages = self.intake.ages()
        doubtful = [age.tag for age in ages if age.quality or age.is_stale or age.is_frozen]
        never = sum(1 for age in ages if age.age == float("inf"))
        return {
            "line": self.compiled.factory.name,
            "written": time.time(),
            "plant_time": _finite(self.now),
            "last_received": self._last_received or None,
            "delay": self._lag,
            "row": self.row,
            "counts": self.intake.counts.as_dict(),
            "tags": {
                "n": len(ages),
                "never_seen": never,
                "doubtful": doubtful[:50],
                "n_doubtful": len(doubtful),
            },
            "output": self.mirror.output(),
            "machines": [self._machine(m) for m in range(len(self.compiled.machines))],
            "buffers": [
                {"name": name, "level": self.mirror.level(b), "capacity": self._capacity(b)}
                for b, name in enumerate(self.compiled.buffers)
            ],
            "findings": [
                {
                    "number": finding.number,
                    "station": finding.station,
                    "stage": str(finding.stage),
                    "text": finding.text,
                }
                for finding in self.watch.findings
            ],
        }

    def _machine(self, m: int) -> dict[str, Any]:
        r = self.mirror.machines[m]
        held = list(self.mirror.held(m))[:_ITEMS_SHOWN]
        return {
            "name": self.compiled.machines[m],
            "state": MachineState(r.state).name.lower() if r.is_known else None,
            "since": r.since if r.is_known else None,
            "stop": r.stop or r.odd_stop,
            "items": held,
            "format": self.compiled.formats[max(r.format, 0)],
            "speed": r.speed or None,
            "processed": self.mirror.processed[m].count,
            "defective": self.mirror.defective[m].count,
            "doubt": r.doubt,
        }

    def _capacity(self, b: int) -> int | None:
        return self.mirror.layout.capacities[b]


def _finite(value: float) -> float | None:
    return value if abs(value) != float("inf") else None
