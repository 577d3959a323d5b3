"""What is in one factory, told as if it were in another that has been changed a little."""

import dataclasses
from collections.abc import Iterable

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_contents import LiveContents, LiveItem, LiveMachine
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.machine_view import STOPPED_STATES


def fitted(contents: LiveContents, before: CompiledModel, after: CompiledModel) -> LiveContents:
    """Return contents in the names of a changed factory.

    Parameters
    ----------
    contents : LiveContents
        What is in the factory as it was.
    before, after : CompiledModel
        The factory as it was, and as it is changed: buffers with more or fewer places, machines
        added or taken away, other times, stops, routes.

    Returns
    -------
    LiveContents
        Items of machines, buffers and formats that are gone are put back in front of their station
        where there is such a place; else they are left out. A buffer may hold more than its places;
        it takes none beside those that wait for it already. Work done counts in proportion where
        speed has changed.
    """
    if before is after:
        return contents
    return _Fitting(contents, before, after).contents()


class _Fitting:
    def __init__(self, contents: LiveContents, before: CompiledModel, after: CompiledModel) -> None:
        self.given = contents
        self.before = before
        self.after = after
        self.back: dict[str, list[LiveItem]] = {}
        """Items that must go back to the buffer of their station."""

    def contents(self) -> LiveContents:
        machines = {}
        for name, place in _places(self.before).items():
            live = self.given.machines.get(name)
            target = _names(self.after).get(place)
            if live is None:
                continue
            if target is None:
                self.back.setdefault(place[0], []).extend(self._known(live.items))
            else:
                machines[target] = self._machine(live, place[0])
        buffers = {}
        for b, name in enumerate(self.after.buffers):
            items = self._known((*self.back.get(name, ()), *self.given.buffers.get(name, ())))
            if self.after.model.buffers[b]["capacity"] == 0:
                items = self._hand_over(b, items, machines)
            if items:
                buffers[name] = items
        return LiveContents(
            now=self.given.now,
            machines=machines,
            buffers=buffers,
            supplies={k: v for k, v in self.given.supplies.items() if k in self.after.stations},
            arrivals={k: v for k, v in self.given.arrivals.items() if k in self.after.arrivals},
            next_serial=self.given.next_serial,
        )

    def _known(self, items: Iterable[LiveItem]) -> tuple[LiveItem, ...]:
        """Return items of formats that are still there, with defects that are still there."""
        known = set(self.after.defects)
        return tuple(
            item
            if item.defects is None
            else item._replace(defects=tuple(d for d in item.defects if d in known))
            for item in items
            if item.format in self.after.formats
        )

    def _hand_over(
        self, b: int, items: tuple[LiveItem, ...], machines: dict[str, LiveMachine]
    ) -> tuple[LiveItem, ...]:
        """Give items that have no place any more to the idle machines behind them."""
        station = self.after.model.stations[int(self.after.model.buffers[b]["station"])]
        if station["buffer"] == b:
            first = int(station["first_machine"])
            left = list(items)
            for name in self.after.machines[first : first + int(station["n_machines"])]:
                live = machines.get(name, LiveMachine())
                if left and not live.items and live.state is MachineState.STARVED:
                    machines[name] = dataclasses.replace(live, items=(left.pop(0),))
        return ()

    def _machine(self, live: LiveMachine, name: str) -> LiveMachine:
        index = self.after.stations.index(name)
        old = self.before.stations.index(name)
        stops = _local(self.after.stops, name)
        inputs = _local(self.after.buffers, name)
        items = self._known(live.items)
        state, stop, is_interrupted = live.state, live.stop, live.is_interrupted
        if stop and stop not in stops:
            # The stop is not there any more: the machine goes on.
            state = MachineState.EXECUTING if is_interrupted else MachineState.STARVED
            stop, is_interrupted = "", False
        if not items:
            is_interrupted = False
            if state not in STOPPED_STATES or not stop:
                state = MachineState.STARVED
        ratio = self._ratio(old, index, items[0].format) if items else 1.0
        return dataclasses.replace(
            live,
            state=state,
            stop=stop,
            is_interrupted=is_interrupted,
            items=items,
            worked=None if live.worked is None else live.worked * ratio,
            work_left=None if live.work_left is None else live.work_left * ratio,
            target=live.target if live.target in self.after.buffers else None,
            format=live.format if live.format in self.after.formats else "",
            clocks={k: v for k, v in live.clocks.items() if k in stops},
            magazines={
                k: v
                for k, v in live.magazines.items()
                if k in inputs and (not v.format or v.format in self.after.formats)
            },
        )

    def _ratio(self, old: int, new: int, product_format: str) -> float:
        """Return how much longer the same work takes than before."""
        before = self.before.model.recipes[
            old * len(self.before.formats) + self.before.formats.index(product_format)
        ]
        after = self.after.model.recipes[
            new * len(self.after.formats) + self.after.formats.index(product_format)
        ]
        factor = float(before["factor"])
        return float(after["factor"]) / factor if factor > 0.0 else 1.0


def _places(compiled: CompiledModel) -> dict[str, tuple[str, int]]:
    """Return station and number of each machine, by its name."""
    return {
        name: (
            compiled.stations[int(station)],
            m - int(compiled.model.stations[int(station)]["first_machine"]),
        )
        for m, (name, station) in enumerate(
            zip(compiled.machines, compiled.model.machine_station, strict=True)
        )
    }


def _names(compiled: CompiledModel) -> dict[tuple[str, int], str]:
    return {place: name for name, place in _places(compiled).items()}


def _local(names: tuple[str, ...], station: str) -> set[str]:
    """Return what belongs to a station, without its name."""
    return {name[len(station) + 1 :] for name in names if name.startswith(f"{station}.")}
