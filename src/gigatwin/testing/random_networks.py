"""Random factories with splits, merges, rework, scrap and assemblies, whose flow is known.

Items are simulated by the package's own kernel; the records become visits, from which events can
be lost on purpose, to see whether the flow is found again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gigatwin.compiler.build import compile_factory
from gigatwin.events.log import event_table
from gigatwin.events.visits import visits_of
from gigatwin.factory.durations import Distribution
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.routing import OUT, Next, Route
from gigatwin.factory.stations import (
    AssemblyStation,
    Buffer,
    DiscreteStation,
    Finds,
    Input,
    InspectionStation,
    Station,
)
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run

IN = "in"
_LOAD = 0.85
"""Use of the bottleneck of a network with rework, whose buffers have no limit."""
_FEWEST, _MOST = 4, 12
_SCRAP = "scrap"

Edges = set[tuple[str, str]]
"""Ways as pairs of source and target, with ``in`` and ``out``."""


@dataclass
class _Network:
    """A network that grows from its first station to its last."""

    random: np.random.Generator
    size: int
    stations: dict[str, Station] = field(default_factory=dict)
    loads: dict[str, float] = field(default_factory=dict)
    """Time that a machine of a station works for each item that enters. [s]"""
    open_ends: list[str] = field(default_factory=list)
    """Stations whose way on is not known yet."""
    has_loop: bool = False

    def name(self) -> str:
        return f"s{len(self.stations) + 1}"

    def time(self, visits: float, machines: int) -> Distribution:
        mean = float(self.random.uniform(8.0, 24.0)) * machines / max(visits, 0.2)
        return Distribution(
            distribution="gamma", mean=mean, cv=float(self.random.uniform(0.03, 0.25))
        )

    def buffer(self, *, endless: bool = False) -> Buffer:
        if endless:
            return Buffer(capacity="unlimited")
        return Buffer(
            capacity=int(self.random.integers(1, 30)), transfer=float(self.random.choice([0, 0, 5]))
        )

    def put(self, name: str, station: Station, visits: float) -> None:
        law = getattr(station, "time", None)
        machines = getattr(station, "machines", 1)
        if isinstance(law, Distribution):
            self.loads[name] = law.mean * visits / machines
        self.stations[name] = station

    def lead(self, to: Next) -> None:
        """Let all open ends lead to the same."""
        for name in self.open_ends:
            station = self.stations[name]
            way = to
            if isinstance(station.next, tuple):
                known = station.next
                left = 1.0 - sum(route.share for route in known)
                way = (Route(to=str(to), share=left), *known)
            self.stations[name] = station.model_copy(update={"next": way})
        self.open_ends = []


def random_network(seed: int) -> Factory:
    """Return a random factory of 4 to 12 stations.

    It has splits and merges, parallel machines, rework loops, scrap, ways past a station, and in
    one of three a second line whose items are assembled into those of the first.

    Parameters
    ----------
    seed : int
        Same seed, same factory.
    """
    random = np.random.default_rng(seed)
    net = _Network(random, int(random.integers(_FEWEST, _MOST + 1)))
    has_assembly = net.size >= 6 and random.random() < 1 / 3  # noqa: PLR2004 - room for two lines
    feeders = _feeder(net) if has_assembly else []
    _plain(net, may_scrap=False)
    while len(net.stations) < net.size:
        left = net.size - len(net.stations)
        if feeders:
            _assembly(net, feeders.pop())
            continue
        kinds: list[Callable[[_Network], object]] = [_plain, _plain]
        if left >= 2:  # noqa: PLR2004 - stations of a loop
            kinds += [_loop, _route_loop]
        if left >= 3:  # noqa: PLR2004 - stations of a split
            kinds += [_split, _split, _bypass]
        kinds[int(random.integers(len(kinds)))](net)
    net.lead(OUT)
    return _factory(net, seed)


def _factory(net: _Network, seed: int) -> Factory:
    arrivals = {}
    stations = dict(net.stations)
    if net.has_loop:
        # Rework must not fill the line: its buffers have no limit, and items come in their time.
        slowest = max(net.loads.values())
        interval = Distribution(distribution="gamma", mean=slowest / _LOAD, cv=0.3)
        leads = {target for source, target in _edges(stations) if source != IN}
        for name, station in net.stations.items():
            if name not in leads:
                arrivals[f"to_{name}"] = Arrivals(interval=interval, next=name)
                stations[name] = station.model_copy(update={"buffer": net.buffer(endless=True)})
    return Factory(name=f"network-{seed}", stations=stations, arrivals=arrivals)


def _plain(net: _Network, *, may_scrap: bool = True, buffer: Buffer | None = None) -> str:
    name = net.name()
    machines = int(net.random.choice([1, 1, 1, 2, 3]))
    scrap = 0.0
    if may_scrap and net.random.random() < 0.25:  # noqa: PLR2004 - a share
        scrap = float(net.random.uniform(0.02, 0.06))
    net.lead(name)
    station = DiscreteStation(
        time=net.time(1.0, machines),
        machines=machines,
        buffer=buffer or net.buffer(),
        scrap=scrap,
    )
    net.put(name, station, 1.0)
    net.open_ends = [name]
    return name


def _feeder(net: _Network) -> list[str]:
    """Build a second line of one or two stations and return its last one."""
    for _ in range(int(net.random.integers(1, 3))):
        _plain(net, may_scrap=False)
    feeders, net.open_ends = net.open_ends, []
    return feeders


def _assembly(net: _Network, feeder: str) -> None:
    name = net.name()
    net.lead(name)
    port = Input(buffer=Buffer(capacity=int(net.random.integers(1, 10))))
    law = net.time(1.0, 1)
    station = AssemblyStation(kind="assembly", time=law, buffer=net.buffer(), inputs={"part": port})
    net.put(name, station, 1.0)
    net.stations[feeder] = net.stations[feeder].model_copy(update={"next": f"{name}.part"})
    net.open_ends = [name]


def _split(net: _Network) -> None:
    """Two branches from the last station, which end in the next one."""
    source = net.open_ends.pop()
    left = float(net.random.uniform(0.2, 0.8))
    branches = []
    for part in (left, 1.0 - left):
        name = net.name()
        net.put(name, DiscreteStation(time=net.time(part, 1), buffer=net.buffer()), part)
        branches.append(name)
    ways = tuple(
        Route(to=name, share=part) for name, part in zip(branches, (left, 1.0 - left), strict=True)
    )
    net.stations[source] = net.stations[source].model_copy(update={"next": ways})
    net.open_ends = branches
    _plain(net)


def _bypass(net: _Network) -> None:
    """Add a station that some items leave out."""
    source = net.open_ends.pop()
    part = float(net.random.uniform(0.02, 0.3))
    name, after = net.name(), f"s{len(net.stations) + 2}"
    ways = (Route(to=name, share=1.0 - part), Route(to=after, share=part))
    net.stations[source] = net.stations[source].model_copy(update={"next": ways})
    net.put(name, DiscreteStation(time=net.time(1 - part, 1), buffer=net.buffer()), 1 - part)
    net.open_ends = [name]
    _plain(net)


def _loop(net: _Network) -> None:
    """Add an inspection whose findings are mended and come back."""
    found = float(net.random.uniform(0.04, 0.2))
    for name in net.open_ends:
        station = net.stations[name]
        net.stations[name] = station.model_copy(update={"defects": {"flaw": found}})
    check, mend = net.name(), f"s{len(net.stations) + 2}"
    net.lead(check)
    visits = 1.0 + found
    net.put(
        check,
        InspectionStation(
            kind="inspection",
            time=net.time(visits, 1),
            buffer=net.buffer(endless=True),
            finds=Finds(defects={"flaw": float(net.random.uniform(0.8, 1.0))}, rework=mend),
        ),
        visits,
    )
    net.put(
        mend,
        DiscreteStation(
            time=net.time(found, 1), buffer=net.buffer(endless=True), repairs="all", next=check
        ),
        found,
    )
    net.open_ends = [check]
    net.has_loop = True


def _route_loop(net: _Network) -> None:
    """Add two stations; from the second some items go back to the first."""
    back = float(net.random.uniform(0.03, 0.15))
    first = _plain(net, may_scrap=False, buffer=net.buffer(endless=True))
    second = net.name()
    net.lead(second)
    visits = 1.0 / (1.0 - back)
    net.put(
        second,
        DiscreteStation(
            time=net.time(visits, 1),
            buffer=net.buffer(),
            next=(Route(to=first, share=back),),
        ),
        visits,
    )
    net.loads[first] *= visits
    net.open_ends = [second]
    net.has_loop = True


def true_edges(factory: Factory) -> Edges:
    """Return the ways of a factory, with ``in``, ``out`` for products and scrap, and joins."""
    return _edges(dict(factory.stations))


def _edges(stations: dict[str, Station]) -> Edges:
    names = list(stations)
    edges: Edges = set()
    for index, (name, station) in enumerate(stations.items()):
        way = station.next or [*names[1:], OUT][index]
        targets = [way] if isinstance(way, str) else [route.to for route in way]  # type: ignore[union-attr]  # no shortest way here
        edges |= {(name, target.split(".")[0]) for target in targets}
        finds = getattr(station, "finds", None)
        if finds is not None:
            edges.add((name, finds.rework or OUT))
        if station.scrap:
            edges.add((name, OUT))
    reached = {target for _, target in edges}
    return edges | {(IN, name) for name in names if name not in reached}


def visits_of_run(
    factory: Factory, n_items: int = 2000, seed: int = 1
) -> tuple[pl.DataFrame, Edges]:
    """Return the visits of a simulated history, and the true ways.

    Parameters
    ----------
    factory : Factory
        What to simulate.
    n_items : int
        Finished and scrapped items after which the history ends.
    seed : int
        Chooses the random streams.

    Returns
    -------
    polars.DataFrame
        As from `gigatwin.events.visits.visits_of`: the activity is the station, parallel machines
        are ``station#1``, ``station#2``; the end is missing for items in work at the end.
    set
        Pairs of source and target.
    """
    compiled = compile_factory(factory)
    run = Run(compiled, seed=seed, trace=True)
    names = event_names(compiled)
    tables: list[pl.DataFrame] = []
    left = 0
    until = 0.0
    while left < n_items:
        until += 20.0 * n_items
        is_alive = run.advance(until)
        tables.append(event_table(run.records(), names))
        left += (
            tables[-1]
            .filter(
                (pl.col("kind") == "LEAVE") & pl.col("detail").cast(pl.String).is_in([OUT, _SCRAP])
            )
            .height
        )
        if not is_alive:
            break
    visits = visits_of(pl.concat(tables)).filter(pl.col("activity").is_in(list(factory.stations)))
    return visits, true_edges(factory)


def lose(visits: pl.DataFrame, share: float, seed: int = 1) -> pl.DataFrame:
    """Return visits of which single events are lost; without both events the row is gone.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns start and end.
    share : float
        Probability that an event is lost.
    seed : int
        Same seed, same losses.
    """
    random = np.random.default_rng(seed)
    has_start, has_end = random.random((2, visits.height)) >= share
    lost = visits.with_columns(
        start=pl.when(pl.Series(has_start)).then("start"),
        end=pl.when(pl.Series(has_end)).then("end"),
    )
    return lost.filter(pl.col("start").is_not_null() | pl.col("end").is_not_null())


def f1(true: Edges, found: Edges) -> float:
    """Return the harmonic mean of the shares of true ways found and of found ways true."""
    both = len(true & found)
    return 2.0 * both / (len(true) + len(found)) if true or found else 1.0
