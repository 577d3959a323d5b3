"""Small models built directly from arrays, for cases that are calculated by hand."""

import math

import numpy as np

from gigatwin.kernel import layout
from gigatwin.kernel.layout import OUT, UNLIMITED, Clock, Feature, Law, Model, State
from gigatwin.standards.machine_states import MachineState

GOLDEN = 0x9E3779B97F4A7C15
NO_STATION = {
    "buffer": -1,
    "operators": -1,
    "setup_crew": -1,
    "rework": -1,
}


def table(dtype, rows):
    """Return a structured array with one record for each dictionary; what is not named is 0."""
    array = np.zeros(len(rows), dtype)
    for record, row in zip(array, rows, strict=True):
        for name, value in row.items():
            record[name] = value
    return array


class Sketch:
    """A line that grows station by station; durations are constants unless a law is given."""

    def __init__(self, n_formats=1):
        self.n_formats = n_formats
        self.rows = {name: [] for name in Model._fields}
        self.initial_format = []

    def add(self, element, **row):
        self.rows[element].append(row)
        return len(self.rows[element]) - 1

    def law(self, a, b=0.0, c=0.0, kind=Law.CONSTANT):
        return self.add("laws", kind=kind, a=a, b=b, c=c)

    def resource(self, capacity, shifts=(), period=math.inf):
        first = len(self.rows["shifts"])
        for at, number in shifts:
            self.add("shifts", at=at, capacity=number)
        return self.add(
            "resources", capacity=capacity, first_shift=first, n_shifts=len(shifts), period=period
        )

    def buffer(self, capacity=UNLIMITED, transfer=None):
        number = self.add(
            "buffers", capacity=capacity, station=-1, port=-1, moves=int(transfer is not None)
        )
        self.rows["transfers"] += [0 if transfer is None else self.law(transfer)] * self.n_formats
        return number

    def station(self, time, to=(OUT,), *, machines=1, initial_format=-1, recipe=None, **row):
        """Add a station whose items go to one of the buffers ``to`` with equal probability."""
        number = len(self.rows["stations"])
        first_machine = len(self.rows["machine_station"])
        self.rows["machine_station"] += [number] * machines
        self.initial_format += [initial_format] * machines
        self.add(
            "stations",
            **NO_STATION | {"first_machine": first_machine, "n_machines": machines} | row,
        )
        if row.get("buffer", -1) >= 0:
            self.rows["buffers"][row["buffer"]]["station"] = number
        routes = [
            self.add("routes", buffer=target, threshold=(k + 1) / len(to))
            for k, target in enumerate(to)
        ]
        law = self.law(time)
        for _ in range(self.n_formats):
            usual = {"law": law, "factor": 1.0, "batch": 1, "count": 1, "content": math.nan}
            usual |= {"per_product": 1.0, "first_route": routes[0], "n_routes": len(to)}
            self.add("recipes", **usual | (recipe or {}))
        return number

    def stop(self, station, every, duration, *, clock=Clock.RUNNING, **row):
        """Add a stop to the station added last."""
        usual = {"crew": -1, "state": MachineState.BREAKDOWN, "factor": 1.0}
        usual |= {"clock": clock, "law": self.law(every), "duration": self.law(duration)}
        number = self.add("stops", **usual | row)
        target = self.rows["stations"][station]
        target.setdefault("first_stop", number)
        target["n_stops"] = target.get("n_stops", 0) + 1

    def port(self, station, buffer, need):
        """Add an input to the station added last."""
        number = len(self.rows["ports"])
        self.rows["ports"].append(buffer)
        self.rows["needs"] += [need] * self.n_formats
        self.rows["buffers"][buffer] |= {"station": station, "port": number}
        target = self.rows["stations"][station]
        target.setdefault("first_port", number)
        target["n_ports"] = target.get("n_ports", 0) + 1

    def changeover(self, station, duration):
        """Make every change of format at a station take a time."""
        features = {"features": Feature.CHANGEOVER, "first_setup": len(self.rows["setups"])}
        self.rows["stations"][station] |= features
        self.rows["setups"] += [self.law(duration)] * self.n_formats**2

    def arrivals(self, buffer, interval):
        return self.add("arrivals", law=self.law(interval), buffer=buffer)

    def build(self):
        """Return the arrays of the model and of its initial state."""
        rows = self.rows
        sizes = [len(rows[k]) for k in ("machine_station", "buffers", "arrivals", "resources")]
        streams, machines, due = 0, [], []
        for number, station in enumerate(rows["machine_station"]):
            first_stop = rows["stations"][station].get("first_stop", 0)
            n_stops = rows["stations"][station].get("n_stops", 0)
            machines.append(
                {
                    "first_stream": streams,
                    "first_clock": len(due),
                    "format": self.initial_format[number],
                }
            )
            stops = rows["stops"][first_stop : first_stop + n_stops]
            due += [rows["laws"][stop["law"]]["a"] for stop in stops]
            streams += 4 + 2 * n_stops
        queues = [{"stream": streams + k} for k in range(sizes[1])]
        streams += sizes[1]
        for arrival in rows["arrivals"]:
            arrival["stream"] = streams
            streams += 2
        kinds = {
            "stations": layout.STATION,
            "recipes": layout.RECIPE,
            "defects": layout.CHANCE,
            "finds": layout.CHANCE,
            "routes": layout.ROUTE,
            "stops": layout.STOP,
            "laws": layout.LAW,
            "buffers": layout.BUFFER,
            "resources": layout.RESOURCE,
            "shifts": layout.SHIFT,
            "arrivals": layout.ARRIVAL,
            "mixes": layout.MIX,
            "orders": layout.ORDER,
        }
        arrays = {name: table(dtype, rows[name]) for name, dtype in kinds.items()}
        for name in ("setups", "transfers", "ports", "machine_station"):
            arrays[name] = np.array(rows[name], np.int32)
        for name in ("tables", "needs"):
            arrays[name] = np.array(rows[name], np.float64)
        arrays["sizes"] = np.array([*sizes, self.n_formats, 0], np.int64)
        state = dict.fromkeys(State._fields)
        state["machines"] = table(layout.MACHINE, machines)
        state["queues"] = table(layout.QUEUE, queues)
        state["due"] = np.array(due, np.float64)
        clock = np.full(sum(sizes), math.inf)
        for number, arrival in enumerate(rows["arrivals"], start=sizes[0] + sizes[1]):
            clock[number] = rows["laws"][arrival["law"]]["a"]
        state["clock"] = clock
        gammas = [{"state": k, "gamma": GOLDEN} for k in range(streams)]
        state["streams"] = table(layout.STREAM, gammas)
        return Model(**arrays), State(**state)
