"""From a factory to the arrays of the kernel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.laws import LawTable
from gigatwin.compiler.plan import (
    PlannedBuffer,
    PlannedStation,
    most_at_work,
    plan_stations,
    routes_for,
    targets,
)
from gigatwin.compiler.worth import products_per_item
from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.errors import CompileError
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import FormatDuration, mean_of
from gigatwin.factory.factory import Factory
from gigatwin.factory.resources import Crew
from gigatwin.factory.routing import OUT
from gigatwin.factory.stops import Stop
from gigatwin.kernel import layout
from gigatwin.kernel.layout import Clock, Feature, Model, Purpose, Size
from gigatwin.standards.machine_states import MachineState
from gigatwin.units import Items, Length

_MOST_DEFECTS = 62
_MOST_FORMATS = 254
_STATE_OF = {
    "breakdown": MachineState.BREAKDOWN,
    "micro_stop": MachineState.MICRO_STOP,
    "planned": MachineState.PLANNED_STOP,
}


def _by_format(value: Any, product_format: str) -> Any:  # noqa: ANN401 - a value of any kind
    return value.by_format[product_format] if isinstance(value, ByFormat) else value


class _Builder:
    """Fills the arrays of one factory, table by table."""

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self.plans = plan_stations(factory)
        self.formats = tuple(factory.formats)
        self.resources = tuple(factory.resources)
        self.laws = LawTable()
        self.buffers: list[tuple[PlannedBuffer, int, int]] = []
        self.buffer_of: dict[str, int] = {}
        for index, plan in enumerate(self.plans):
            if plan.buffer is not None:
                self._add_buffer(plan.name, plan.buffer, index, -1)
            for port, (key, item) in enumerate(plan.inputs.items()):
                self._add_buffer(f"{plan.name}.{key}", item.buffer, index, port)
        self._send_through_vehicles()
        self.defects = tuple(dict.fromkeys(name for plan in self.plans for name in plan.defects))
        if len(self.defects) > _MOST_DEFECTS or len(self.formats) > _MOST_FORMATS:
            message = (
                f"{factory.name}: {len(self.defects)} kinds of defects and {len(self.formats)} "
                f"formats; at most {_MOST_DEFECTS} and {_MOST_FORMATS} can be simulated. "
                "Join kinds that are found alike."
            )
            raise CompileError(message)
        self.rows: dict[str, list[tuple[Any, ...]]] = {
            name: []
            for name in ("recipes", "defects", "finds", "routes", "stops", "setups", "stations")
        }

    def _add_buffer(self, name: str, buffer: PlannedBuffer, station: int, port: int) -> None:
        self.buffer_of[name] = len(self.buffers)
        self.buffers.append((buffer, station, port))

    def _send_through_vehicles(self) -> None:
        """Let routes that lead to a place reached by vehicle lead to the vehicle path."""
        self.entry = dict(self.buffer_of)
        for name, buffer in self.buffer_of.items():
            if name.endswith(".transport"):
                self.entry[name.removesuffix(".transport")] = buffer

    def _crew(self, crew: Crew | None) -> tuple[int, int]:
        return (-1, 0) if crew is None else (self.resources.index(crew.resource), crew.quantity)

    def _law_by_format(self, value: FormatDuration, product_format: str) -> int:
        return self.laws.add(_by_format(value, product_format))

    # One row of a table ---------------------------------------------------------------------

    def _stop(self, stop: Stop, factor: float) -> tuple[Any, ...]:
        clock = Clock.CALENDAR if stop.kind == "planned" else Clock.RUNNING
        if stop.clock is not None:
            clock = Clock.RUNNING if stop.clock == "running" else Clock.CALENDAR
        timetable = False
        if isinstance(stop.every, Items | Length):
            clock = Clock.ITEMS if isinstance(stop.every, Items) else Clock.CONTENT
            interval = self.laws.exponential if stop.is_random else self.laws.constant
            law = interval(float(stop.every.value))
        elif isinstance(stop.every, int | float):
            if stop.kind == "planned":
                law = self.laws.constant(float(stop.every))
                timetable = clock is Clock.CALENDAR
            else:
                law = self.laws.exponential(float(stop.every))
        else:
            law = self.laws.add(stop.every)
        return (
            int(clock),
            law,
            factor,
            self.laws.add(stop.duration),
            *self._crew(stop.crew),
            int(_STATE_OF[stop.kind]),
            int(stop.kind != "planned"),
            int(timetable),
            stop.startup_scrap,
        )

    def _recipe(self, plan: PlannedStation, product_format: str) -> tuple[Any, ...]:
        if plan.rate is not None:
            law = self.laws.constant(1.0)
            factor = 1.0 / (_by_format(plan.rate, product_format) * plan.speed)
        else:
            law = self._law_by_format(plan.time, product_format)
            factor = 1.0 / plan.speed
        content = plan.output.content
        routes, shortest = routes_for(plan, product_format)
        first_route = len(self.rows["routes"])
        share = 0.0
        # A vehicle path leads to the place itself, everything else to the vehicle path before it.
        entry = self.buffer_of if plan.name.endswith(".transport") else self.entry
        for way in routes:
            share += way.share
            self.rows["routes"].append((-1 if way.to == OUT else entry[way.to], share))
        first_defect = len(self.rows["defects"])
        for name, probability in plan.defects.items():
            chance = min(1.0, _by_format(probability, product_format) * plan.defect_factor)
            self.rows["defects"].append((self.defects.index(name), chance))
        batch = 1 if plan.batch is None else _by_format(plan.batch, product_format)
        return (
            law,
            int(plan.scales),
            factor,
            batch,
            _by_format(plan.output.count, product_format),
            np.nan if content is None else _by_format(content, product_format),
            _by_format(plan.output.per_product, product_format),
            min(1.0, _by_format(plan.scrap, product_format) * plan.defect_factor),
            first_defect,
            len(plan.defects),
            first_route,
            len(routes),
            int(shortest),
        )

    def _features(self, plan: PlannedStation) -> int:
        recipes = self.rows["recipes"][-len(self.formats) :]
        several_routes = any(recipe[11] != 1 for recipe in recipes)
        splits = any(recipe[4] != 1 or not np.isnan(recipe[5]) for recipe in recipes)
        quality = plan.defects or plan.finds or plan.repairs or any(r[7] > 0 for r in recipes)
        flags = {
            Feature.STOPS: plan.stops,
            Feature.PORTS: plan.inputs,
            Feature.QUALITY: quality,
            Feature.CHANGEOVER: plan.changeover,
            Feature.OPERATORS: plan.operators,
            Feature.SPLITS: splits,
            Feature.ROUTES: several_routes,
            Feature.AMOUNTS: plan.scales
            or any(isinstance(stop.every, Items | Length) for stop in plan.stops.values()),
        }
        return sum(int(flag) for flag, on in flags.items() if on)

    def _finds(self, plan: PlannedStation) -> tuple[int, int, int]:
        first = len(self.rows["finds"])
        if plan.finds is not None:
            looked_for = (
                dict.fromkeys(self.defects, 1.0)
                if plan.finds.defects == "all"
                else plan.finds.defects
            )
            for name, probability in looked_for.items():
                self.rows["finds"].append((self.defects.index(name), probability))
        return first, len(self.rows["finds"]) - first, int(plan.finds is not None)

    def _setups(self, plan: PlannedStation) -> int:
        first = len(self.rows["setups"])
        if plan.changeover is not None:
            times = {(t.from_format, t.to_format): t.time for t in plan.changeover.times}
            for before in self.formats:
                for after in self.formats:
                    law = self.laws.add(times.get((before, after), plan.changeover.time))
                    self.rows["setups"].append((law,))
        return first

    def _station(
        self, index: int, plan: PlannedStation, first_machine: int, first_port: int
    ) -> None:
        for product_format in self.formats:
            self.rows["recipes"].append(self._recipe(plan, product_format))
        first_stop = len(self.rows["stops"])
        for key, stop in plan.stops.items():
            self.rows["stops"].append(self._stop(stop, plan.stop_factors[key]))
        changeover = plan.changeover
        initial = -1
        if changeover is not None and changeover.initial_format is not None:
            initial = self.formats.index(changeover.initial_format)
        finds = plan.finds
        repairs = self.defects if plan.repairs == "all" else plan.repairs
        creates = plan.buffer is None and not plan.inputs
        self.rows["stations"].append((
            first_machine,
            plan.n_machines,
            self._features(plan),
            len(self.buffers) + index,
            -1 if plan.buffer is None else self.buffer_of[plan.name],
            first_port,
            len(plan.inputs),
            int(plan.batch is not None),
            plan.minimum,
            *self._crew(plan.operators),
            first_stop,
            len(plan.stops),
            initial,
            *self._crew(changeover.crew if changeover else None),
            self._setups(plan),
            *self._finds(plan),
            -1 if finds is None or finds.rework is None else self.entry[finds.rework],
            int(creates and bool(self.factory.orders)),
            0.0 if finds is None else finds.false_alarm,
            sum(1 << self.defects.index(name) for name in repairs),
        ))  # fmt: skip

    # Whole tables -------------------------------------------------------------------------

    def _buffer_tables(self) -> tuple[NDArray[np.void], NDArray[np.int32]]:
        rows = []
        transfers = []
        for buffer, station, port in self.buffers:
            laws = [self._law_by_format(buffer.transfer, name) for name in self.formats]
            constant = not isinstance(buffer.transfer, ByFormat) and buffer.transfer == 0.0
            batches = port < 0 and self.plans[station].batch is not None
            rows.append((buffer.capacity, station, port, int(not constant), int(batches)))
            transfers += laws
        return np.array(rows, dtype=layout.BUFFER), np.array(transfers, dtype=np.int32)

    def _resource_tables(self) -> tuple[NDArray[np.void], NDArray[np.void]]:
        rows: list[tuple[int, int, int, float, int]] = []
        shifts: list[tuple[float, int]] = []
        first_row = len(self.buffers) + len(self.plans)
        for index, resource in enumerate(self.factory.resources.values()):
            steps = resource.shifts.steps if resource.shifts else ()
            period = resource.shifts.period if resource.shifts else 0.0
            rows.append((resource.capacity, len(shifts), len(steps), period, first_row + index))
            shifts += [(step.at, step.capacity) for step in steps]
        return np.array(rows, dtype=layout.RESOURCE), np.array(shifts, dtype=layout.SHIFT)

    def _arrival_tables(self, first_stream: int) -> tuple[NDArray[np.void], NDArray[np.void]]:
        rows: list[tuple[int, int, int, int, int]] = []
        mixes: list[tuple[int, float]] = []
        for plan in self.plans:
            if plan.arrivals is None:
                continue
            mix = plan.mix or {self.formats[0]: 1.0}
            stream = first_stream + 2 * len(rows)
            law = self.laws.add(plan.arrivals)
            rows.append((law, self.buffer_of[plan.name], len(mixes), len(mix), stream))
            share = 0.0
            for name, part in mix.items():
                share += part
                mixes.append((self.formats.index(name), share))
        return np.array(rows, dtype=layout.ARRIVAL), np.array(mixes, dtype=layout.MIX)

    def _has_loops(self) -> bool:
        """Return whether an item can come back to a buffer of limited size on its way."""
        ways: dict[str, set[str]] = {}
        for plan in self.plans:
            aims = set(targets(plan.route)) | (
                {plan.finds.rework} if plan.finds and plan.finds.rework else set()
            )
            ways[plan.name] = {aim.split(".")[0] for aim in aims if aim and aim != OUT}
        for start, first in ways.items():
            seen: set[str] = set()
            ahead = set(first)
            while ahead:
                name = ahead.pop()
                if name not in seen:
                    seen.add(name)
                    ahead |= ways.get(name, set())
            if start in seen:
                return True
        return False

    def _stream_names(self) -> list[str]:
        names = []
        for plan in self.plans:
            for k in range(plan.n_machines):
                machine = f"{plan.name}#{k + 1}"
                names += [f"{machine}/{purpose.name.lower()}" for purpose in Purpose]
                for stop in plan.stops:
                    names += [f"{machine}/{stop}/interval", f"{machine}/{stop}/duration"]
        names += [f"{buffer.name}/transfer" for buffer, _, _ in self.buffers]
        for plan in self.plans:
            if plan.arrivals is not None:
                names += [f"{plan.name}/interval", f"{plan.name}/format"]
        return names

    def _run_times(self) -> NDArray[np.float64]:
        times = np.zeros((len(self.plans), len(self.formats)))
        for index, plan in enumerate(self.plans):
            for column, name in enumerate(self.formats):
                mean = (
                    1.0 / _by_format(plan.rate, name)
                    if plan.rate is not None
                    else mean_of(_by_format(plan.time, name))
                )
                batch = 1 if plan.batch is None else _by_format(plan.batch, name)
                times[index, column] = mean / batch
        return times

    def _leads_out_of_line(self) -> NDArray[np.bool_]:
        line_of = {plan.name: plan.line for plan in self.plans}
        return np.array([
            all(
                aim != OUT and line_of.get(aim.split(".")[0]) != plan.line
                for aim in targets(plan.route)
            )
            for plan in self.plans
        ])  # fmt: skip

    def build(self) -> CompiledModel:
        """Return the compiled factory."""
        machines: list[str] = []
        machine_station: list[int] = []
        n_ports = 0
        for index, plan in enumerate(self.plans):
            self._station(index, plan, len(machines), n_ports)
            single = plan.n_machines == 1
            machines += [
                plan.name if single else f"{plan.name}#{k + 1}" for k in range(plan.n_machines)
            ]
            machine_station += [index] * plan.n_machines
            n_ports += len(plan.inputs)
        streams = self._stream_names()
        buffers, transfers = self._buffer_tables()
        resources, shifts = self._resource_tables()
        n_arrivals = sum(plan.arrivals is not None for plan in self.plans)
        arrivals, mixes = self._arrival_tables(len(streams) - 2 * n_arrivals)
        inputs = [(plan, key) for plan in self.plans for key in plan.inputs]
        ports = [self.buffer_of[f"{plan.name}.{key}"] for plan, key in inputs]
        needs = [
            _by_format(plan.inputs[key].per_item, name)
            for plan, key in inputs
            for name in self.formats
        ]
        orders = [
            (self.formats.index(order.format), order.quantity, order.release)
            for order in self.factory.orders
        ]
        laws, tables = self.laws.arrays()
        sizes = np.zeros(len(Size), dtype=np.int64)
        sizes[Size.MACHINES] = len(machines)
        sizes[Size.BUFFERS] = len(self.buffers)
        sizes[Size.ARRIVALS] = n_arrivals
        sizes[Size.RESOURCES] = len(self.resources)
        sizes[Size.FORMATS] = len(self.formats)
        sizes[Size.LOOPS] = self._has_loops()
        sizes[Size.DEFECTS] = len(self.defects)
        rows = self.rows
        model = Model(
            stations=np.array(rows["stations"], dtype=layout.STATION),
            recipes=np.array(rows["recipes"], dtype=layout.RECIPE),
            defects=np.array(rows["defects"], dtype=layout.CHANCE),
            finds=np.array(rows["finds"], dtype=layout.CHANCE),
            routes=np.array(rows["routes"], dtype=layout.ROUTE),
            stops=np.array(rows["stops"], dtype=layout.STOP),
            setups=np.array(rows["setups"], dtype=np.int32).reshape(-1),
            laws=laws,
            tables=tables,
            buffers=buffers,
            transfers=transfers,
            ports=np.array(ports, dtype=np.int32),
            needs=np.array(needs, dtype=np.float64),
            resources=resources,
            shifts=shifts,
            arrivals=arrivals,
            mixes=mixes,
            orders=np.array(orders, dtype=layout.ORDER),
            machine_station=np.array(machine_station, dtype=np.int32),
            sizes=sizes,
        )
        return CompiledModel(
            factory=self.factory,
            model=model,
            stations=tuple(plan.name for plan in self.plans),
            lines=tuple(plan.line for plan in self.plans),
            machines=tuple(machines),
            buffers=tuple(name for name in self.buffer_of),
            formats=self.formats,
            resources=self.resources,
            arrivals=tuple(plan.name for plan in self.plans if plan.arrivals is not None),
            defects=self.defects,
            stops=tuple(f"{plan.name}.{key}" for plan in self.plans for key in plan.stops),
            streams=tuple(streams),
            run_times=self._run_times(),
            is_per_content=np.array([plan.scales for plan in self.plans]),
            outputs=model.recipes["count"].astype(np.int64).reshape(len(self.plans), -1),
            products_per_item=products_per_item(self.plans, self.formats),
            most_at_work=tuple(most_at_work(r) for r in self.factory.resources.values()),
            leads_out_of_line=self._leads_out_of_line(),
            capacities=tuple(
                None if int(b["capacity"]) == layout.UNLIMITED else int(b["capacity"])
                for b in buffers
            ),
        )


def compile_factory(factory: Factory) -> CompiledModel:
    """Turn a factory into the arrays that the kernel runs.

    Parameters
    ----------
    factory : Factory
        A factory that has passed its checks.

    Raises
    ------
    CompileError
        If it asks for more than the kernel can keep apart.
    FactoryError
        If a station names a machine description that cannot be used.
    """
    return _Builder(with_cycle_models(factory)).build()
