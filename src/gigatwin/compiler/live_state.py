"""A state of the kernel, made from plain facts about what is in a factory at a moment.

Whatever is not known is drawn from the law that the model has for it, given what is known: a
machine that has worked on an item for 3 s is done after what is left of a time longer than 3 s.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.initial import chain_free
from gigatwin.compiler.live_contents import LiveClock, LiveContents, LiveItem, LiveMachine
from gigatwin.compiler.model_items import ModelItems
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.errors import CompileError
from gigatwin.kernel import layout, rows, stops
from gigatwin.kernel.calendar import empty_calendar, schedule
from gigatwin.kernel.layout import Clock, Feature, Phase, State
from gigatwin.standards.machine_states import MachineState

_SPARE_ITEMS = 1024
_CALLS = (Phase.CALLS_FOR_STOP, Phase.CALLS_FOR_SETUP, Phase.CALLS_FOR_WORK)
_STANDS = frozenset({MachineState.BREAKDOWN, MachineState.MICRO_STOP, MachineState.PLANNED_STOP})


def state_from(
    compiled: CompiledModel,
    contents: LiveContents,
    seed: int = 1,
    replication: int = 0,
    *,
    trace: bool = False,
) -> State:
    """Return the state in which a run goes on from what is in a factory now.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    contents : LiveContents
        What is in it.
    seed, replication : int
        Choose the random streams, and what is drawn because it is not known.
    trace : bool
        Whether event records are kept.

    Returns
    -------
    State
        For `gigatwin.simulation.run.Run.restore`. All that is counted (output, times in states)
        starts anew; all time before now counts as spent in the present states.

    Raises
    ------
    CompileError
        If the contents name something that the factory does not have, or that cannot be there.
    """
    return LiveStates(compiled, contents).state(seed, replication, trace=trace)


class LiveStates:
    """States made from the same contents, for many runs that differ in what is drawn.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    contents : LiveContents
        What is in it.

    Raises
    ------
    CompileError
        If the contents name something that the factory does not have, or that cannot be there.
    """

    def __init__(self, compiled: CompiledModel, contents: LiveContents) -> None:
        self.compiled = compiled
        self.contents = contents
        self.laws = ResidualLaws(compiled.model.laws, compiled.model.tables)
        self._of_model = ModelItems(compiled)
        self._formats = {name: index for index, name in enumerate(compiled.formats)}
        self._defects = {name: 1 << index for index, name in enumerate(compiled.defects)}
        self._check()
        self._places: list[tuple[int, int]] = []
        """Items of each machine, then of each buffer: the first, and the one after the last."""
        self._items = self._item_table()

    def state(self, seed: int = 1, replication: int = 0, *, trace: bool = False) -> State:
        """Return one state; arguments as of `state_from`."""
        state = self.compiled.initial_state(seed, replication, trace=trace)
        return _Filling(self, state, seed, replication).filled()

    def place(self, index: int) -> tuple[int, int]:
        """Return the first item, and the one after the last, of a machine or a buffer."""
        return self._places[index]

    @property
    def items(self) -> NDArray[np.void]:
        """Records of the items, with NaN where the time of arrival is drawn."""
        return self._items

    def bits(self, defects: Iterable[str]) -> int:
        """Return defects as the kernel keeps them."""
        return sum(self._defects[name] for name in defects)

    def format(self, name: str) -> int:
        """Return the number of a format; -1: none."""
        return self._formats[name] if name else -1

    def shares(self, index: int, product_format: int) -> NDArray[np.float64]:
        """Return the shares of defects among the items at a place. Shape (n_defects,)."""
        buffer = self._buffer_behind(index)
        return np.asarray(self._of_model.defects[buffer, product_format])

    # What must hold ---------------------------------------------------------------------------

    def _check(self) -> None:
        names, contents = self.compiled, self.contents
        self._check_names("machines", contents.machines, names.machines)
        self._check_names("buffers", contents.buffers, names.buffers)
        self._check_names("arrivals", contents.arrivals, names.arrivals)
        self._check_names("supplies", contents.supplies, names.stations)
        if not 0.0 <= contents.now < np.inf:
            self._refuse("now", f"{contents.now:g} s", "0 s or later")
        for name, machine in contents.machines.items():
            self._check_machine(name, machine)
        for name, items in contents.buffers.items():
            index = names.buffers.index(name)
            if items and names.model.buffers[index]["capacity"] == 0:
                self._refuse(name, f"{len(items)} items", "none, as this buffer has no places")
            self._check_items(name, items)

    def _check_names(self, what: str, given: Iterable[str], known: tuple[str, ...]) -> None:
        for name in given:
            if name not in known:
                some = ", ".join(known[:8])
                self._refuse(what, f"'{name}'", f"one of the factory's {what}: {some}")

    def _check_machine(self, name: str, machine: LiveMachine) -> None:
        m = self.compiled.machines.index(name)
        known = self.stops_of(m)
        for stop in (*([machine.stop] if machine.stop else []), *machine.clocks):
            if stop not in known:
                self._refuse(name, f"stop '{stop}'", f"one of {', '.join(known) or 'none at all'}")
        if machine.state in _STANDS and not machine.stop:
            self._refuse(name, f"state {machine.state.name} without a stop", "named with its stop")
        if machine.target is not None and machine.target not in self.compiled.buffers:
            self._refuse(name, f"target '{machine.target}'", "a buffer of the factory")
        if machine.format and machine.format not in self._formats:
            self._refuse(name, f"format '{machine.format}'", self._known_formats())
        ports = self.ports_of(m)
        for port, magazine in machine.magazines.items():
            if port not in ports:
                self._refuse(name, f"input '{port}'", f"one of {', '.join(ports) or 'none at all'}")
            if magazine.format and magazine.format not in self._formats:
                self._refuse(name, f"format '{magazine.format}'", self._known_formats())
        self._check_items(name, machine.items)

    def _check_items(self, place: str, items: Iterable[LiveItem]) -> None:
        for item in items:
            if item.format not in self._formats:
                self._refuse(place, f"format '{item.format}'", self._known_formats())
            for defect in item.defects or ():
                if defect not in self._defects:
                    self._refuse(place, f"defect '{defect}'", "one of the factory's defects")

    def _known_formats(self) -> str:
        return f"one of {', '.join(self._formats)}"

    def _refuse(self, where: str, found: str, required: str) -> None:
        message = (
            f"{self.compiled.factory.name}: live contents: {where}: {found}; must be {required}. "
            "Describe the plant with the names of this factory, or use the factory of this plant."
        )
        raise CompileError(message)

    def stops_of(self, m: int) -> tuple[str, ...]:
        """Return the names of a machine's stops, without the station's."""
        index = int(self.compiled.model.machine_station[m])
        station = self.compiled.model.stations[index]
        first = int(station["first_stop"])
        skip = len(self.compiled.stations[index]) + 1
        names = self.compiled.stops[first : first + int(station["n_stops"])]
        return tuple(name[skip:] for name in names)

    def ports_of(self, m: int) -> tuple[str, ...]:
        """Return the names of a machine's inputs, without the station's."""
        index = int(self.compiled.model.machine_station[m])
        station = self.compiled.model.stations[index]
        first = int(station["first_port"])
        skip = len(self.compiled.stations[index]) + 1
        buffers = self.compiled.model.ports[first : first + int(station["n_ports"])]
        return tuple(self.compiled.buffers[int(b)][skip:] for b in buffers)

    # Items, the same for all states -------------------------------------------------------------

    def _buffer_behind(self, index: int) -> int:
        """Return the buffer whose items are like those of a machine or a buffer."""
        n_machines = len(self.compiled.machines)
        if index >= n_machines:
            return index - n_machines
        live = self.contents.machines.get(self.compiled.machines[index])
        if live is not None and live.target is not None:
            return self.compiled.buffers.index(live.target)
        model = self.compiled.model
        return int(model.stations[int(model.machine_station[index])]["buffer"])

    def _default_content(self, index: int, product_format: int) -> float:
        model = self.compiled.model
        if index < len(self.compiled.machines):
            station = int(model.machine_station[index])
            if model.stations[station]["buffer"] < 0:
                recipe = model.recipes[station * len(self._formats) + product_format]
                return 1.0 if np.isnan(recipe["content"]) else float(recipe["content"])
        return float(self._of_model.contents[self._buffer_behind(index), product_format])

    def _item_table(self) -> NDArray[np.void]:
        contents, names = self.contents, self.compiled
        groups: list[tuple[LiveItem, ...]] = [
            contents.machines[name].items if name in contents.machines else ()
            for name in names.machines
        ]
        groups += [contents.buffers.get(name, ()) for name in names.buffers]
        everything = [item for group in groups for item in group]
        table = np.zeros(len(everything), dtype=layout.ITEM)
        serials = [item.serial for item in everything]
        unused = max([*serials, -1]) + 1
        now = contents.now
        at = 0
        for index, group in enumerate(groups):
            self._places.append((at, at + len(group)))
            for item in group:
                r = table[at]
                r["next"] = at + 1
                r["format"] = self._formats[item.format]
                if item.serial < 0:
                    r["serial"] = unused
                    unused += 1
                else:
                    r["serial"] = item.serial
                r["order"] = item.order
                r["reworks"] = item.reworks
                r["born"] = now if item.born is None else item.born
                r["content"] = (
                    self._default_content(index, int(r["format"]))
                    if item.content is None
                    else item.content
                )
                r["defects"] = -1 if item.defects is None else self.bits(item.defects)
                r["made"] = np.inf
                if item.defects:
                    r["made"] = r["born"] if item.made is None else item.made
                r["arrives"] = now if item.residual is None else now + item.residual
                at += 1
            if group:
                table["next"][at - 1] = -1
        self.next_serial = unused if contents.next_serial is None else contents.next_serial
        self.next_serial = max(self.next_serial, unused)
        return table


class _Filling:
    """Fills one state."""

    def __init__(self, source: LiveStates, state: State, seed: int, replication: int) -> None:
        self.source = source
        self.compiled = source.compiled
        self.model = source.compiled.model
        self.contents = source.contents
        self.now = source.contents.now
        self.laws = source.laws
        self.prefix = f"{seed}/{replication}/live/"
        self.state = self._emptied(state)
        self.in_use = np.zeros(len(self.compiled.resources), dtype=np.int64)
        self.waiting: list[tuple[int, float, int]] = []
        """Row, since when, machine."""
        self.first_to_go: list[int] = []
        self.idle: list[tuple[float, int]] = []

    def _emptied(self, state: State) -> State:
        known = self.source.items
        margin = int(state.control[0]["item_margin"])
        items = np.zeros(len(known) + margin + _SPARE_ITEMS, dtype=layout.ITEM)
        items[: len(known)] = known
        chain_free(items, len(known))
        n_actors = len(self.compiled.actors)
        clock, tree = empty_calendar(n_actors)
        state.rows["first"] = -1
        state.rows["last"] = -1
        state = state._replace(items=items, clock=clock, tree=tree)
        control = state.control[0]
        control["now"] = self.now
        control["serial"] = self.source.next_serial
        control["created"] = len(known)
        control["n_free"] = len(items) - len(known)
        control["first_free"] = len(known)
        return state

    def uniform(self, name: str) -> float:
        """Return the number that belongs to a name, whatever else is drawn."""
        digest = hashlib.blake2b((self.prefix + name).encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "little") >> 11) * 2.0**-53

    def many(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return many numbers that belong to a name."""
        digest = hashlib.blake2b((self.prefix + name).encode(), digest_size=8).digest()
        return np.random.default_rng(int.from_bytes(digest, "little")).random(shape)

    def filled(self) -> State:
        """Return the state with everything in it."""
        self._draw_defects()
        for b, name in enumerate(self.compiled.buffers):
            self._fill_buffer(b, name)
        for m, name in enumerate(self.compiled.machines):
            self._fill_machine(m, self.contents.machines.get(name) or LiveMachine(), name)
        self._set_durations()
        for row, _, machine in sorted(self.waiting):
            rows.join(self.state, row, machine)
        for machine in self.first_to_go:
            rows.to_agenda(self.state, machine)
        self._fill_pools()
        # Who waits for a part asks once more, in order: nothing is there, or it is served.
        for _, machine in sorted(self.idle):
            rows.to_agenda(self.state, machine)
        self._fill_supplies()
        self._fill_arrivals()
        return self.state

    # Items and buffers --------------------------------------------------------------------------

    def _draw_defects(self) -> None:
        items = self.state.items
        n_machines = len(self.compiled.machines)
        names = (*self.compiled.machines, *(f"{b}/buffer" for b in self.compiled.buffers))
        for index, name in enumerate(names):
            first, last = self.source.place(index)
            unknown = [at for at in range(first, last) if items[at]["defects"] < 0]
            if not unknown:
                continue
            items["defects"][unknown] = 0
            if not self.compiled.defects:
                continue
            if index < n_machines and self._has_no_origin(index):
                continue
            luck = self.many(f"{name}/defects", (last - first, len(self.compiled.defects)))
            for at in unknown:
                shares = self.source.shares(index, int(items[at]["format"]))
                bits = int(((luck[at - first] < shares) << np.arange(len(shares))).sum())
                items[at]["defects"] = bits
                items[at]["made"] = items[at]["born"] if bits else np.inf

    def _has_no_origin(self, machine: int) -> bool:
        """Whether what a machine holds was made there, and its defects are still to come."""
        live = self.contents.machines.get(self.compiled.machines[machine])
        station = self.model.stations[int(self.model.machine_station[machine])]
        return station["buffer"] < 0 and (live is None or live.target is None)

    def _fill_buffer(self, b: int, name: str) -> None:
        first, last = self.source.place(len(self.compiled.machines) + b)
        queue = self.state.queues[b]
        queue["since"] = self.now
        n = last - first
        if n == 0:
            return
        items = self.state.items
        buffer = self.model.buffers[b]
        queue["head"], queue["tail"] = first, last - 1
        queue["count"] = queue["peak"] = queue["arrived"] = n
        if buffer["batches"]:
            pairs = items[first:last]
            differ = (pairs["format"][1:] != pairs["format"][:-1]) | (
                pairs["order"][1:] != pairs["order"][:-1]
            )
            queue["changes"] = int(differ.sum())
        if buffer["moves"]:
            arrives = self._arrival_times(b, name, first, last)
            items["arrives"][first:last] = arrives
            queue["last_arrival"] = arrives[-1]
            queue["arrived"] = int((arrives <= self.now).sum())
            if queue["arrived"] < n:
                queue["moving"] = first + int(queue["arrived"])
                actor = len(self.compiled.machines) + b
                time = float(items[int(queue["moving"])]["arrives"])
                schedule(self.state.clock, self.state.tree, actor, time)

    def _arrival_times(self, b: int, name: str, first: int, last: int) -> NDArray[np.float64]:
        n_formats = len(self.compiled.formats)
        arrives = self.state.items["arrives"][first:last].copy()
        live = self.contents.buffers[name]
        unknown = [k for k, item in enumerate(live) if item.residual is None]
        if unknown:
            luck = self.many(f"{name}/transfer", (last - first,))
            for k in unknown:
                law = int(self.model.transfers[b * n_formats + self.source.format(live[k].format)])
                elapsed, u = live[k].elapsed, float(luck[k])
                arrives[k] = self.now + (
                    self.laws.until_next(law, 0.0, u)
                    if elapsed is None
                    else self.laws.left(law, elapsed, u)
                )
            if all(item.elapsed is None and item.residual is None for item in live):
                arrives.sort()
        return np.maximum.accumulate(arrives)

    # Machines -------------------------------------------------------------------------------------

    def _fill_machine(self, m: int, live: LiveMachine, name: str) -> None:
        state, now = self.state, self.now
        r = state.machines[m]
        index = int(self.model.machine_station[m])
        station = self.model.stations[index]
        first, last = self.source.place(m)
        n = last - first
        if n:
            r["head"], r["tail"], r["n_items"] = first, last - 1, n
        r["created"] = int(live.is_created or (n > 0 and station["buffer"] < 0))
        if live.format:
            r["format"] = self.source.format(live.format)
        r["state"] = int(live.state)
        r["since"] = now if live.since is None else min(live.since, now)
        self._set_clocks(m, live, name)
        self._set_magazines(m, live)
        waits = live.waits_since if live.waits_since is not None else float(r["since"])
        if live.stop:
            self._stand(m, live, name, waits)
        elif n and live.state is MachineState.EXECUTING:
            r["work"] = self._work_left(m, live, name)
            self._use(station["operators"], station["n_operators"])
            stops.run(self.model, state, index, m, now)
        elif n and live.state is MachineState.BLOCKED:
            self._block(m, live, waits)
        elif n and live.state in (MachineState.SETUP, MachineState.WAITING_FOR_CREW):
            self._change_over(m, live, name, waits)
        else:
            # What it holds waits for other inputs; without inputs it is about to be worked on.
            waits_for_inputs = n == 0 or station["n_ports"] > 0
            r["phase"] = int(Phase.READY if waits_for_inputs else Phase.LOADED)
            if live.state not in (MachineState.STARVED, MachineState.NO_ORDER):
                r["state"] = int(MachineState.STARVED)
            self.idle.append((waits, m))

    def _use(self, resource: int, quantity: int) -> None:
        if resource >= 0:
            self.in_use[resource] += quantity

    def _work_left(self, m: int, live: LiveMachine, name: str) -> float:
        if live.work_left is not None:
            return live.work_left
        r = self.state.machines[m]
        item = self.state.items[int(r["head"])]
        n_formats = len(self.compiled.formats)
        recipe = self.model.recipes[int(self.model.machine_station[m]) * n_formats + item["format"]]
        scale = float(recipe["factor"]) * (float(item["content"]) if recipe["scales"] else 1.0)
        u = self.uniform(f"{name}/service")
        law = int(recipe["law"])
        if live.worked is None:
            return scale * self.laws.until_next(law, 0.0, u)
        return scale * self.laws.left(law, live.worked / scale if scale > 0.0 else 0.0, u)

    def _stand(self, m: int, live: LiveMachine, name: str, waits: float) -> None:
        """Put a machine into a stop, or let it wait for the crew of one."""
        state, now = self.state, self.now
        r = state.machines[m]
        station = self.model.stations[int(self.model.machine_station[m])]
        k = self.source.stops_of(m).index(live.stop)
        stop = self.model.stops[int(station["first_stop"]) + k]
        r["stop"] = k
        r["interrupted"] = int(live.is_interrupted and r["n_items"] > 0)
        if r["interrupted"]:
            r["work"] = self._work_left(m, live, name)
            self._use(station["operators"], station["n_operators"])
        outage = state.outages[int(r["first_clock"]) + k]
        outage["count"] = 1
        outage["begun"] = now if live.since is None else min(live.since, now)
        if live.state is MachineState.WAITING_FOR_CREW and stop["crew"] >= 0:
            self._call(m, Phase.CALLS_FOR_STOP, int(stop["crew"]), int(stop["n_crew"]), waits)
            return
        r["state"] = int(stop["state"])
        r["phase"] = int(Phase.STOPPED)
        self._use(stop["crew"], stop["n_crew"])
        left = self._left_of(live, int(stop["duration"]), f"{name}/{live.stop}/duration")
        schedule(state.clock, state.tree, m, now + left)

    def _left_of(self, live: LiveMachine, law: int, name: str) -> float:
        if live.residual is not None:
            return live.residual
        u = self.uniform(name)
        if live.elapsed is None:
            return self.laws.until_next(law, 0.0, u)
        return self.laws.left(law, live.elapsed, u)

    def _call(self, m: int, phase: Phase, resource: int, quantity: int, waits: float) -> None:
        """Let a machine wait for a crew."""
        r = self.state.machines[m]
        r["phase"] = int(phase)
        r["state"] = int(MachineState.WAITING_FOR_CREW)
        r["needs_crew"] = quantity
        self.waiting.append((int(self.model.resources[resource]["row"]), waits, m))

    def _change_over(self, m: int, live: LiveMachine, name: str, waits: float) -> None:
        """Put a machine that holds an item into a changeover, or let it wait for people."""
        r = self.state.machines[m]
        station = self.model.stations[int(self.model.machine_station[m])]
        after = int(self.state.items[int(r["head"])]["format"])
        changes = bool(station["features"] & Feature.CHANGEOVER)
        is_needed = changes and r["format"] not in (-1, after)
        if live.state is MachineState.SETUP and is_needed:
            r["phase"] = int(Phase.SETUP)
            self._use(station["setup_crew"], station["n_setup_crew"])
            n_formats = len(self.compiled.formats)
            at = int(station["first_setup"]) + int(r["format"]) * n_formats + after
            left = self._left_of(live, int(self.model.setups[at]), f"{name}/setup")
            schedule(self.state.clock, self.state.tree, m, self.now + left)
        elif (
            live.state is MachineState.WAITING_FOR_CREW and is_needed and station["setup_crew"] >= 0
        ):
            crew, quantity = int(station["setup_crew"]), int(station["n_setup_crew"])
            self._call(m, Phase.CALLS_FOR_SETUP, crew, quantity, waits)
        elif live.state is MachineState.WAITING_FOR_CREW and station["operators"] >= 0:
            crew, quantity = int(station["operators"]), int(station["n_operators"])
            self._call(m, Phase.CALLS_FOR_WORK, crew, quantity, waits)
        else:
            r["phase"] = int(Phase.LOADED)
            self.first_to_go.append(m)

    def _block(self, m: int, live: LiveMachine, waits: float) -> None:
        """Let a machine wait for room; where there is some by now, it goes on at once."""
        r = self.state.machines[m]
        if live.target is not None:
            target = self.compiled.buffers.index(live.target)
            r["target"] = target
            if self.state.queues[target]["count"] >= self.model.buffers[target]["capacity"]:
                r["phase"] = int(Phase.BLOCKED)
                self.waiting.append((target, waits, m))
                return
        r["phase"] = int(Phase.RELEASING)
        self.first_to_go.append(m)

    def _set_clocks(self, m: int, live: LiveMachine, name: str) -> None:
        r = self.state.machines[m]
        station = self.model.stations[int(self.model.machine_station[m])]
        first = int(station["first_stop"])
        for k, stop_name in enumerate(self.source.stops_of(m)):
            stop = self.model.stops[first + k]
            known = live.clocks.get(stop_name) or LiveClock()
            left = known.residual
            if left is None:
                left = self._drawn_clock(stop, known, f"{name}/{stop_name}/interval")
            is_calendar = stop["clock"] == Clock.CALENDAR
            self.state.due[int(r["first_clock"]) + k] = left + (self.now if is_calendar else 0.0)

    def _drawn_clock(self, stop: np.void, known: LiveClock, name: str) -> float:
        law, factor = int(stop["law"]), float(stop["factor"])
        u = self.uniform(name)
        if stop["timetable"]:
            interval = self.laws.quantile(law, u) * factor
            begin = self.now - (known.elapsed or 0.0)
            return float((np.floor(begin / interval) + 1.0) * interval - self.now)
        if known.elapsed is None or not known.is_since_stop:
            return factor * self.laws.until_next(law, (known.elapsed or 0.0) / factor, u)
        return factor * self.laws.left(law, known.elapsed / factor, u)

    def _set_magazines(self, m: int, live: LiveMachine) -> None:
        first = int(self.state.machines[m]["first_magazine"])
        ports = self.source.ports_of(m)
        for name, given in live.magazines.items():
            magazine = self.state.magazines[first + ports.index(name)]
            magazine["level"] = given.level
            magazine["format"] = max(self.source.format(given.format), 0)
            magazine["order"] = given.order
            made = self.now if given.made is None else given.made
            magazine["defects"] = self.source.bits(given.defects)
            magazine["made"] = made if given.defects else np.inf
            magazine["blend"] = self.source.bits(given.blended)
            magazine["blend_made"] = made if given.blended else np.inf

    def _set_durations(self) -> None:
        # Times in states must add up to the simulated time.
        machines = self.state.machines
        since = np.maximum(machines["since"], 0.0)
        machines["since"] = since
        self.state.durations[np.arange(len(machines)), machines["state"]] = since

    # Crews, orders, arrivals ----------------------------------------------------------------------

    def _fill_pools(self) -> None:
        n_before = sum(int(n) for n in self.model.sizes[:3])
        for index in range(len(self.compiled.resources)):
            resource, pool = self.model.resources[index], self.state.pools[index]
            n, capacity = int(resource["n_shifts"]), int(resource["capacity"])
            if n:
                steps = self.model.shifts[int(resource["first_shift"]) :][:n]
                period = float(resource["period"])
                turn = int(self.now // period)
                begun = turn * n + int((turn * period + steps["at"] <= self.now).sum())
                capacity = int(steps[(begun - 1) % n]["capacity"])
                pool["shift"] = begun
                if n > 1:
                    time = (begun // n) * period + float(steps[begun % n]["at"])
                    schedule(self.state.clock, self.state.tree, n_before + index, time)
            pool["capacity"] = capacity
            pool["free"] = capacity - int(self.in_use[index])
            pool["since"] = self.now
            self._serve(int(resource["row"]), pool)

    def _serve(self, row: int, pool: np.void) -> None:
        """Give free units to who waits for them, as far as the contents left some free."""
        machines = self.state.machines
        first = int(self.state.rows[row]["first"])
        while first >= 0 and pool["free"] >= machines[first]["needs_crew"]:
            pool["free"] -= machines[first]["needs_crew"]
            rows.to_agenda(self.state, rows.take_first(self.state, row))
            first = int(self.state.rows[row]["first"])

    def _fill_supplies(self) -> None:
        for name, supply in self.contents.supplies.items():
            record = self.state.supplies[self.compiled.stations.index(name)]
            record["order"] = supply.order
            record["remaining"] = supply.remaining

    def _fill_arrivals(self) -> None:
        first = len(self.compiled.machines) + len(self.compiled.buffers)
        for index, name in enumerate(self.compiled.arrivals):
            known = self.contents.arrivals.get(name) or LiveClock()
            left = known.residual
            if left is None:
                law = int(self.model.arrivals[index]["law"])
                u = self.uniform(f"{name}/interval")
                if known.elapsed is None or not known.is_since_stop:
                    left = self.laws.until_next(law, known.elapsed or 0.0, u)
                else:
                    left = self.laws.left(law, known.elapsed, u)
            schedule(self.state.clock, self.state.tree, first + index, self.now + left)
