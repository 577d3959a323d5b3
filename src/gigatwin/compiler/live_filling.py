"""Fills a state of the kernel with what is in a factory; draws what is not known."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.initial import chain_free
from gigatwin.compiler.live_checks import ports_of, stops_of
from gigatwin.compiler.live_contents import LiveClock, LiveMachine
from gigatwin.compiler.live_items import LiveItems
from gigatwin.compiler.live_sources import fill_arrivals, fill_pools, fill_supplies
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.kernel import layout, rows, stops
from gigatwin.kernel.calendar import empty_calendar, schedule
from gigatwin.kernel.layout import Clock, Feature, Phase, State
from gigatwin.standards.machine_states import MachineState

_SPARE_ITEMS = 1024


class Filling:
    """Fills one state.

    Parameters
    ----------
    items : LiveItems
        The items, and the factory and contents they belong to.
    laws : ResidualLaws
        Laws of the factory.
    state : State
        A fresh one; its arrays are used.
    seed, replication : int
        Choose what is drawn.
    """

    def __init__(
        self, items: LiveItems, laws: ResidualLaws, state: State, seed: int, replication: int
    ) -> None:
        self.items = items
        self.compiled = items.compiled
        self.model = items.compiled.model
        self.contents = items.contents
        self.now = items.contents.now
        self.laws = laws
        self.prefix = f"{seed}/{replication}/live/"
        self.state = self._emptied(state)
        self.in_use = np.zeros(len(self.compiled.resources), dtype=np.int64)
        self.waiting: list[tuple[int, float, int]] = []
        """Row, since when, machine."""
        self.first_to_go: list[int] = []
        self.idle: list[tuple[float, int]] = []

    def _emptied(self, state: State) -> State:
        known = self.items.table
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
        control["serial"] = self.items.next_serial
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
        fill_pools(self.compiled, self.state, self.now, self.in_use)
        # Who waits for a part asks once more, in order: nothing is there, or it is served.
        for _, machine in sorted(self.idle):
            rows.to_agenda(self.state, machine)
        fill_supplies(self.compiled, self.state, self.contents)
        fill_arrivals(self.compiled, self.state, self.contents, self.laws, self.uniform)
        return self.state

    # Items and buffers --------------------------------------------------------------------------

    def _draw_defects(self) -> None:
        items = self.state.items
        n_machines = len(self.compiled.machines)
        names = (*self.compiled.machines, *(f"{b}/buffer" for b in self.compiled.buffers))
        for index, name in enumerate(names):
            first, last = self.items.place(index)
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
                shares = self.items.shares(index, int(items[at]["format"]))
                bits = int(((luck[at - first] < shares) << np.arange(len(shares))).sum())
                items[at]["defects"] = bits
                items[at]["made"] = items[at]["born"] if bits else np.inf

    def _has_no_origin(self, machine: int) -> bool:
        """Whether what a machine holds was made there, and its defects are still to come."""
        live = self.contents.machines.get(self.compiled.machines[machine])
        station = self.model.stations[int(self.model.machine_station[machine])]
        return station["buffer"] < 0 and (live is None or live.target is None)

    def _fill_buffer(self, b: int, name: str) -> None:
        first, last = self.items.place(len(self.compiled.machines) + b)
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
                law = int(self.model.transfers[b * n_formats + self.items.format(live[k].format)])
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
        first, last = self.items.place(m)
        n = last - first
        if n:
            r["head"], r["tail"], r["n_items"] = first, last - 1, n
        r["created"] = int(live.is_created or (n > 0 and station["buffer"] < 0))
        if live.format:
            r["format"] = self.items.format(live.format)
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
        k = stops_of(self.compiled, m).index(live.stop)
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
        for k, stop_name in enumerate(stops_of(self.compiled, m)):
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
        ports = ports_of(self.compiled, m)
        for name, given in live.magazines.items():
            magazine = self.state.magazines[first + ports.index(name)]
            magazine["level"] = given.level
            magazine["format"] = max(self.items.format(given.format), 0)
            magazine["order"] = given.order
            made = self.now if given.made is None else given.made
            magazine["defects"] = self.items.bits(given.defects)
            magazine["made"] = made if given.defects else np.inf
            magazine["blend"] = self.items.bits(given.blended)
            magazine["blend_made"] = made if given.blended else np.inf

    def _set_durations(self) -> None:
        # Times in states must add up to the simulated time.
        machines = self.state.machines
        since = np.maximum(machines["since"], 0.0)
        machines["since"] = since
        self.state.durations[np.arange(len(machines)), machines["state"]] = since
