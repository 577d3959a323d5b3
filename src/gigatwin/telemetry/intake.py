"""Takes in batches of readings: what is new, in order, each thing once; the rest is counted."""

import math
from typing import Any

from gigatwin.errors import TelemetryError
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.clocks import LATEST, STUMBLE, SourceClock
from gigatwin.telemetry.conversion import COUNTERS
from gigatwin.telemetry.counts import IntakeCounts
from gigatwin.telemetry.mapping import TagMapping
from gigatwin.telemetry.observations import Observation, Taken
from gigatwin.telemetry.readings import Batch, Quality, Value
from gigatwin.telemetry.staleness import Rhythm, TagAge
from gigatwin.telemetry.tag_state import EDGES, TagState, keepable
from gigatwin.telemetry.tags import Quantity
from gigatwin.telemetry.timeline import Row, Timeline
from gigatwin.telemetry.tracking import Tracking

_VERSION = 1
_MOST_NAMED = 1000
_BAD = Quality.BAD
_TRACKING = Quantity.TRACKING
_Said = tuple[Value, Quality]
"""Value and quality of a reading."""
_RUNNING = (None, MachineState.EXECUTING)


class _Element:
    """The tags of one element, and how far its clock was set back."""

    __slots__ = ("line", "moved", "n_steps", "name", "tags")

    def __init__(self, name: str) -> None:
        self.name = name
        self.tags: list[TagState] = []
        self.line: Timeline | None = None
        self.moved = 0.0
        """What is added to source times. [s]"""
        self.n_steps = 0
        """Steps of the clock that are in it."""


class _Work:
    """A batch that is being taken in."""

    __slots__ = ("found", "is_snapshot", "latest", "now", "received")

    def __init__(self, batch: Batch, clock: SourceClock) -> None:
        self.received = batch.received
        self.is_snapshot = batch.is_snapshot
        self.latest = clock.latest_credible(batch.received)
        self.now = clock.now
        self.found: list[Observation] = []


class Intake:
    """Turns the batches of one source into observations and event rows.

    Nothing that comes raises: what cannot be used is counted in `counts`. Counters continue over
    restarts of the equipment. After the clock of the source was set back, times go on where they
    were.

    Parameters
    ----------
    mapping : TagMapping
        What the tags are in the factory.
    reorder_patience : float
        How long to wait for a missing telegram, by the clock of the source. [s]
    stale_after : float, optional
        Age from which every tag counts as stale; left out, learned from each tag's rhythm. [s]
    """

    def __init__(
        self,
        mapping: TagMapping,
        *,
        reorder_patience: float = 2.0,
        stale_after: float | None = None,
    ) -> None:
        if not reorder_patience >= 0.0:
            message = f"reorder_patience: {reorder_patience} s; must be 0 s or more"
            raise TelemetryError(message)
        self.counts = IntakeCounts()
        """What came, and what was wrong with some of it."""
        self.clock = SourceClock()
        """How the clock of the source runs."""
        self.unmapped_tags: dict[str, int] = {}
        """Readings of tags that the mapping does not know, by tag; of the first thousand tags."""
        self._stale_after = stale_after
        self._rhythm = Rhythm()
        self._elements: dict[str, _Element] = {}
        self._tags: dict[str, tuple[TagState, _Element]] = {}
        self._holding: dict[Timeline, None] = {}
        self._order = 0
        for name, meaning in mapping.tags.items():
            element = self._elements.setdefault(meaning.element, _Element(meaning.element))
            tag = TagState(name, meaning)
            element.tags.append(tag)
            self._tags[name] = tag, element
        for element in self._elements.values():
            quantities = {tag.quantity for tag in element.tags}
            if quantities & (EDGES | {_TRACKING}):
                element.line = Timeline(element.name, quantities, reorder_patience, self.counts)
        causal = COUNTERS | {_TRACKING}
        witnesses = [e for e in self._elements.values() if causal & {t.quantity for t in e.tags}]
        self._n_followers_needed = min(2, len(witnesses))

    @property
    def now(self) -> float:
        """Newest time of the source in seconds; minus infinity before anything came."""
        return self.clock.now

    def take(self, batch: Batch) -> Taken:
        """Return what a batch of readings says.

        Parameters
        ----------
        batch : Batch
            Readings in the order in which they came.
        """
        counts, clock = self.counts, self.clock
        counts.readings += len(batch.readings)
        counts.lost_messages += batch.n_lost or 0
        work = _Work(batch, clock)
        newest, moved = -math.inf, 0.0
        for name, value, source_time, quality in batch.readings:
            known = self._tags.get(name)
            if known is None:
                self._count_unmapped(name)
                continue
            tag, element = known
            time = self._credible(source_time, element, work)
            if time is None:
                counts.malformed += 1
                continue
            if tag.quantity is _TRACKING:
                time = self._telegram(tag, element, time, (value, quality), work)
            elif time < tag.time:
                time = self._late(tag, element, time, (value, quality), work)
            elif time == tag.time and value == tag.raw and quality == tag.quality:
                counts.duplicates += not work.is_snapshot
            else:
                self._accept(tag, element, time, (value, quality), work)
            if time > newest:
                newest, moved = time, element.moved
                work.now = max(work.now, time)
        self._end(newest, moved, work)
        return self._taken(work.found, max(work.now, clock.now))

    def _end(self, newest: float, moved: float, work: "_Work") -> None:
        """Tell the clock what a batch said about it."""
        if newest > -math.inf:
            self.clock.offset = newest - moved - work.received
            if newest > self._rhythm.last:
                self._rhythm.see(newest)
        step = self.clock.end_batch(
            newest, work.received, self.counts, is_snapshot=work.is_snapshot
        )
        if step:
            for element in self._elements.values():
                self._move(element, step, work)

    def _credible(self, given: object, element: _Element, work: "_Work") -> float | None:
        """Return the time of a reading, moved; None where it cannot be one."""
        if not isinstance(given, float):
            if not isinstance(given, int) or abs(given) > LATEST:
                return None
            given = float(given)
        time = given + element.moved
        if -LATEST <= time <= work.latest:
            return time
        if work.latest < time <= LATEST and self.clock.goes_astray():
            work.latest = LATEST
            return time
        return None

    def flush(self, now: float | None = None) -> Taken:
        """Return the rows that need not wait any longer, though nothing new has come.

        Parameters
        ----------
        now : float, optional
            Present time by the clock of the source; left out, nothing is waited for. [s]
        """
        return self._taken([], math.inf if now is None else max(now, self.clock.now))

    def ages(self, now: float | None = None) -> list[TagAge]:
        """Return how far the present value of each tag can be believed, in the mapping's order.

        Parameters
        ----------
        now : float, optional
            Present time by the clock of the source; left out, its newest reading. [s]
        """
        now = self.clock.now if now is None else now
        is_source_silent = self._rhythm.is_silent(now)
        found = []
        for element in self._elements.values():
            regular = [tag.rhythm for tag in element.tags if tag.is_regular]
            is_silent = is_source_silent
            if regular:
                is_silent = all(rhythm.is_silent(now) for rhythm in regular)
            found += [tag.age(now, self._stale_after, is_silent=is_silent) for tag in element.tags]
        place = {name: index for index, name in enumerate(self._tags)}
        return sorted(found, key=lambda age: place[age.tag])

    def _count_unmapped(self, name: str) -> None:
        self.counts.unmapped += 1
        seen = self.unmapped_tags
        if name in seen or len(seen) < _MOST_NAMED:
            seen[name] = seen.get(name, 0) + 1

    def _accept(
        self, tag: TagState, element: _Element, time: float, said: _Said, work: _Work
    ) -> None:
        """Make a reading the present value of its tag."""
        raw, quality = said
        tag.see(time, raw, quality)
        value = None
        if quality >= _BAD:
            self.counts.bad_quality += 1
        else:
            value = tag.convert(raw)
            if value is None:
                self.counts.malformed += 1
        tag.is_usable = value is not None
        if value is None:
            tag.raw = keepable(raw)
            work.found.append(Observation(element.name, tag.quantity, tag.which, None, time, _BAD))
            return
        line = element.line
        if tag.is_edge:
            # While rows are held back a late edge may come between, so nothing is left out.
            if line is not None and (value != tag.value or line.is_holding):
                self._add_edge(line, tag, time, value, work)
        elif tag.repeats is not None and (line is None or line.state in _RUNNING):
            tag.repeats.see(raw)
        tag.value = value
        if tag.is_counter and isinstance(value, int):
            value = tag.counted(value, self.counts)
        work.found.append(Observation(element.name, tag.quantity, tag.which, value, time, quality))

    def _add_edge(
        self, line: Timeline, tag: TagState, time: float, value: Value, work: _Work
    ) -> None:
        self._order += 1
        line.add(time, self._order, tag.quantity, value, is_snapshot=work.is_snapshot)
        self._holding[line] = None

    def _late(
        self, tag: TagState, element: _Element, time: float, said: _Said, work: _Work
    ) -> float:
        """Take in a reading that is older than the present value; return its time."""
        if tag.time - time > STUMBLE and not work.is_snapshot:
            step = 0.0
            if tag.is_newer_count(said[0]):
                step = self.clock.set_back(tag.time, time, work.received, self.counts)
            elif (
                element.n_steps < self.clock.n_steps
                and self.clock.n_followers >= self._n_followers_needed
                and self.clock.fits(tag.time, time, work.received)
            ):
                step = self.clock.step
            if step:
                self._move(element, step, work)
                time += step
                self._accept(tag, element, time, said, work)
                return time
        self.counts.late += 1
        tag.late = (time - element.moved, *said)
        line = element.line
        if tag.is_edge and line is not None and line.is_holding and time > line.last_time:
            value = tag.convert(said[0])
            if value is not None and said[1] < _BAD:
                self._add_edge(line, tag, time, value, work)
                # The present value may have been left out, because it seemed to be no change.
                self._add_edge(line, tag, tag.time, tag.value, work)
        return time

    def _telegram(
        self, tag: TagState, element: _Element, time: float, said: _Said, work: _Work
    ) -> float:
        """Take in a tracking telegram; return its time."""
        raw, quality = said
        line = element.line
        tag.is_usable = quality < _BAD
        if not tag.is_usable:
            self.counts.bad_quality += 1
            return time
        telegram = Tracking.parse(raw)
        if telegram is None or line is None:
            # A tag is empty until something happens.
            tag.is_usable = raw == ""
            self.counts.malformed += not tag.is_usable
            if tag.is_usable and time > tag.time:
                tag.see(time, raw, quality)
            return time
        if line.telegrams.newest - time > STUMBLE and line.telegrams.is_next(telegram.number):
            step = self.clock.set_back(line.telegrams.newest, time, work.received, self.counts)
            self._move(element, step, work)
            time += step
        if time > tag.time:
            tag.see(time, raw, quality)
        self._order += 1
        line.telegrams.add(
            time, self._order, telegram, max(work.now, time), is_snapshot=work.is_snapshot
        )
        self._holding[line] = None
        return time

    def _move(self, element: _Element, step: float, work: _Work) -> None:
        """Move the times of an element on, because its clock was set back."""
        element.moved += step
        element.n_steps = self.clock.n_steps
        latest = self.clock.estimate(work.received) + STUMBLE
        for tag in element.tags:
            if tag.late is None:
                continue
            source_time, value, quality = tag.late
            time = source_time + element.moved
            # What came by the new clock was taken as late until now.
            if tag.time < time <= latest:
                self._accept(tag, element, time, (value, quality), work)

    def _taken(self, found: list[Observation], now: float) -> Taken:
        rows: list[Row] = []
        for line in tuple(self._holding):
            line.advance(now, rows)
            if not line.is_holding:
                del self._holding[line]
        rows.sort(key=_when)
        return Taken(tuple(found), tuple([row for _, _, row in rows]))

    def state(self) -> dict[str, Any]:
        """Return all that it knows, as plain data that JSON has, to go on from with `restore`."""
        return {
            "version": _VERSION,
            "counts": self.counts.as_dict(),
            "clock": self.clock.checkpoint(),
            "rhythm": self._rhythm.checkpoint(),
            "order": self._order,
            "unmapped": self.unmapped_tags,
            "tags": {name: tag.checkpoint() for name, (tag, _) in self._tags.items()},
            "elements": {
                element.name: [
                    element.moved,
                    element.n_steps,
                    None if element.line is None else element.line.checkpoint(),
                ]
                for element in self._elements.values()
            },
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `state` returned; tags that the mapping has not any more are left out.

        Raises
        ------
        TelemetryError
            If it is something else, or of another version.
        """
        if kept.get("version") != _VERSION:
            message = f"intake: state of version {kept.get('version')}; needs version {_VERSION}"
            raise TelemetryError(message)
        try:
            self._restore(kept)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"intake: a state that cannot be read ({error}); begin without it"
            raise TelemetryError(message) from error

    def _restore(self, kept: dict[str, Any]) -> None:
        for name, count in kept["counts"].items():
            setattr(self.counts, name, count)
        self.clock.restore(kept["clock"])
        self._rhythm.restore(kept["rhythm"])
        self._order = kept["order"]
        self.unmapped_tags = dict(kept["unmapped"])
        for name, (tag, _) in self._tags.items():
            if name in kept["tags"]:
                tag.restore(kept["tags"][name])
        self._holding.clear()
        for name, element in self._elements.items():
            if name not in kept["elements"]:
                continue
            element.moved, element.n_steps, line = kept["elements"][name]
            if element.line is not None and line is not None:
                element.line.restore(line)
                if element.line.is_holding:
                    self._holding[element.line] = None


def _when(row: Row) -> tuple[float, int, str]:
    # By machine last, so that rows held back by several come out the same after a restart.
    time, order, event = row
    return time, order, event.machine
