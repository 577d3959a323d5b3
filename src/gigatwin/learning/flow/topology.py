"""The flow of a line from its visits: stations, the ways between them, pools, joins, parts.

The steps: visits in the order of their cases; ways between pairs of activity and machine, without
those that lost events make; parallel machines and pools as one station each; ways between stations;
streams that end in an assembly; order of the flow and ways back.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gigatwin.factory.routing import OUT
from gigatwin.learning.flow.arcs import (
    Arcs,
    Codes,
    DroppedArc,
    Loss,
    Walks,
    believed,
    counted,
    is_fresh,
    lost_events,
    lost_visits,
    passed,
    walks,
)
from gigatwin.learning.flow.assembly import (
    Consumer,
    Feeder,
    Join,
    assumed_join,
    recorded_joins,
)
from gigatwin.learning.flow.flow_order import components, places, ways_back
from gigatwin.learning.flow.grouping import Grouping, Sharing, Times, grouped
from gigatwin.learning.flow.sequences import Ordered, ordered
from gigatwin.learning.flow.shares import Dependence, dependence
from gigatwin.learning.flow.visit_columns import (
    Queues,
    VisitColumns,
    batch_size,
    servers_by_machine,
    times_by_pair,
)

IN = "in"
"""The source of a case's first visit."""
_MOSTLY = 0.5
_MOST_SCRAP = 0.2
"""Share of a station's items above which those that end there are no scrap without a reason."""
_VARIANTS = 3
"""Activities for each machine, and"""
_REPEATED = 10
"""visits for each activity of a machine, from which activities are variants of one step."""
_UNSURE = 1e-3
"""Probability below which the way taken is said to depend on the one before."""


@dataclass(frozen=True)
class FlowStation:
    """A station as the log shows it."""

    name: str
    """Name for a description."""
    activities: tuple[str, ...]
    """Activities, as the log names them."""
    machines: tuple[str, ...]
    """Machines or resources, as the log names them."""
    n_machines: int
    """How many there are."""
    n_servers: int
    """How many items it works on at once, over all its machines."""
    n_visits: int
    """Visits in the log."""
    kind: str = "discrete"
    """``discrete``, ``assembly`` or ``batch``: what the log suggests."""
    batch_size: int = 1
    """Items that begin together, as a rule."""
    pool: str | None = None
    """The pool of resources that does the work, which other stations use too."""


@dataclass(frozen=True)
class Flow:
    """Which stations there are and how items go from one to the other."""

    stations: dict[str, FlowStation]
    """Stations by name, in the order of the flow."""
    arcs: dict[str, dict[str, int]]
    """Source to target to number of moves; sources include ``in``, targets ``out``; a join counts
    as a way from the feeder to the assembly."""
    dropped: tuple[DroppedArc, ...] = ()
    """Ways that the log shows but that are not believed."""
    rework: frozenset[tuple[str, str]] = frozenset()
    """Ways back: most items that took it had been at the target before."""
    joins: dict[str, tuple[Join, ...]] = field(default_factory=dict)
    """Assembly station to the streams of cases that end in it."""
    pools: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Pool to its resources."""
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Machine that does several activities to its stations."""
    components: tuple[tuple[str, ...], ...] = ()
    """Stations that are connected, one tuple for each line."""
    scrap: dict[str, int] = field(default_factory=dict)
    """Station to the number of cases that ended there and count as scrap: most items go on from
    there, and those that ended failed or, where no outcomes are known, are few."""
    loss: Loss = field(default_factory=lambda: Loss(0.0, 0.0))
    """How much of the log is missing."""
    n_inside: int = 0
    """Cases that were under way when the log began."""
    n_in_process: int = 0
    """Cases that were under way when the log ended."""
    dependences: dict[str, Dependence] = field(default_factory=dict)
    """Station with several ways on to whether the way depends on the one taken before."""
    notes: tuple[str, ...] = ()
    """What was assumed, put right or left out."""
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    """Activity and machine to the name of the station."""

    def station_of(self, visits: pl.DataFrame) -> pl.DataFrame:
        """Return visits with the column ``station``, null where its machine is not known.

        Parameters
        ----------
        visits : polars.DataFrame
            As in `CaseLog.visits`.
        """
        table = pl.DataFrame(
            [(*pair, name) for pair, name in self.names.items()],
            schema={"activity": pl.String, "_machine": pl.String, "station": pl.String},
            orient="row",
        )
        key = visits.with_columns(_machine=pl.coalesce("machine", "activity"))
        on = ["activity", "_machine"]
        return key.join(table, on=on, how="left", maintain_order="left").drop("_machine")

    @property
    def is_job_shop(self) -> bool:
        """Whether machines or people do several kinds of work, so that it is no line."""
        return bool(self.pools or self.shared)

    @property
    def edges(self) -> set[tuple[str, str]]:
        """The ways as pairs of source and target."""
        return {(source, target) for source, ways in self.arcs.items() for target in ways}


def discover(visits: pl.DataFrame, *, by_machine: bool | None = None) -> Flow:
    """Return the flow of a line.

    Parameters
    ----------
    visits : polars.DataFrame
        As in `CaseLog.visits`: columns case, activity, machine, start and end; optionally parts,
        the names of cases that a visit used up.
    by_machine : bool, optional
        Whether each machine is one station whatever it does, as in a log whose activities are
        variants of one step; left out, this is so where machines do many activities that are
        hardly ever repeated.

    Returns
    -------
    Flow
        Stations, ways, joins, pools and what was left out.
    """
    order = ordered(visits)
    if order.visits.height == 0:
        return Flow({}, {}, notes=(*order.notes, "The log holds no visits."))
    columns = VisitColumns(order)
    loss = _loss(order, columns)
    is_sparse = _is_sparse(order)
    times = times_by_pair(columns, len(order.pairs))
    grouping = _grouping(
        order, columns, loss, times, by_machine=is_sparse if by_machine is None else by_machine
    )
    if by_machine is None and is_sparse:
        grouping.notes.append(
            "Each machine is taken as one station whatever it does, because its activities are "
            "many and hardly ever repeated."
        )
    names = {order.pairs[pair]: group.name for group in grouping.groups for pair in group.pairs}
    return _Builder(order, columns, grouping, loss, times).flow(names)


def _is_sparse(order: Ordered) -> bool:
    n_machines = len({machine for _, machine in order.pairs})
    n_pairs = len(order.pairs)
    return n_pairs > _VARIANTS * n_machines and order.visits.height < _REPEATED * n_pairs


def _loss(order: Ordered, columns: VisitColumns) -> Loss:
    walk = walks(columns.pair, columns.first, columns.key, len(order.pairs))
    events = lost_events(~np.isnan(columns.start), ~np.isnan(columns.end), columns.first)
    seen = lost_visits(counted(walk), passed(walk), walk.n_codes)
    return Loss(events, max(seen, events**2), order.n_swapped)


def _grouping(
    order: Ordered, columns: VisitColumns, loss: Loss, times: list[Times], *, by_machine: bool
) -> Grouping:
    n = len(order.pairs)
    walk = walks(columns.pair, columns.first, columns.key, n)
    arcs, _ = believed(counted(walk), passed(walk), loss, [str(k) for k in range(n + 2)])
    queues = Queues(columns)
    sharing = Sharing(columns.pair, columns.first, n)
    return grouped(
        order.pairs,
        arcs,
        times,
        queues.are_one,
        sharing.are_alternatives,
        by_machine=by_machine,
    )


class _Builder:
    """Puts the flow together from the visits and the stations found."""

    def __init__(
        self,
        order: Ordered,
        columns: VisitColumns,
        grouping: Grouping,
        loss: Loss,
        times: list[Times],
    ) -> None:
        self.order = order
        self.columns = columns
        self.grouping = grouping
        self.loss = loss
        self.times = times
        self.groups = grouping.groups
        self.n = len(self.groups)
        of_pair = np.zeros(len(order.pairs), dtype=np.int64)
        for index, group in enumerate(self.groups):
            of_pair[list(group.pairs)] = index
        self.code = of_pair[columns.pair]
        self.servers = servers_by_machine(columns, order.pairs)
        self.n_visits = np.bincount(columns.pair, minlength=len(order.pairs))
        self.names = [group.name for group in self.groups] + [IN, OUT]
        self.notes = [*order.notes, *grouping.notes]

    def flow(self, names: dict[tuple[str, str], str]) -> Flow:
        """Return the flow."""
        walk = walks(self.code, self.columns.first, self.columns.key, self.n)
        found, dropped = believed(counted(walk), passed(walk), self.loss, self.names)
        joins = self._joins(found, has_stock=walk.n_inside > 0)
        arcs = self._with_joins(found, joins)
        rework = ways_back(found, walk, self.columns.first)
        order = places(arcs, rework, walk, self.columns.first)
        lines = components(arcs, order)
        self._note_losses(dropped, walk)
        if len(lines) > 1:
            listed = "; ".join(", ".join(self.names[index] for index in line) for line in lines)
            self.notes.append(f"The log shows {len(lines)} lines without a link: {listed}.")
        dependences = self._dependences(arcs, walk)
        scrap = self._scrap(arcs, walk)
        assemblies = {index for index, _, _ in joins}
        return Flow(
            stations={
                self.names[index]: self._station(index, is_assembly=index in assemblies)
                for index in order
            },
            arcs=self._named(arcs, [self.n, *order]),
            dropped=dropped,
            rework=frozenset((self.names[a], self.names[b]) for a, b in rework),
            joins=_joins_by_station([join for _, _, join in joins]),
            pools=self.grouping.pools,
            shared=self.grouping.shared,
            components=tuple(tuple(self.names[i] for i in part) for part in lines),
            scrap=scrap,
            loss=self.loss,
            n_inside=walk.n_inside,
            n_in_process=walk.n_in_process,
            dependences=dependences,
            notes=tuple(self.notes),
            names=names,
        )

    def _named(self, arcs: Arcs, sources: list[int]) -> dict[str, dict[str, int]]:
        result: dict[str, dict[str, int]] = {self.names[source]: {} for source in sources}
        for (source, target), n in sorted(arcs.items(), key=lambda item: (-item[1], item[0])):
            result[self.names[source]][self.names[target]] = n
        return result

    # Stations

    def _station(self, index: int, *, is_assembly: bool) -> FlowStation:
        group = self.groups[index]
        pairs = [self.order.pairs[pair] for pair in group.pairs]
        machines = tuple(dict.fromkeys(machine for _, machine in pairs))
        batch = batch_size(self.columns, group.pairs)
        kind = "assembly" if is_assembly else "batch" if batch > 1 else "discrete"
        return FlowStation(
            name=group.name,
            activities=tuple(dict.fromkeys(activity for activity, _ in pairs)),
            machines=machines,
            n_machines=len(machines),
            n_servers=sum(self.servers[machine] for machine in machines),
            n_visits=int(self.n_visits[list(group.pairs)].sum()),
            kind=kind,
            batch_size=batch,
            pool=group.pool,
        )

    # Ways

    def _joins(self, arcs: Arcs, *, has_stock: bool) -> list[tuple[int, int, Join]]:
        """Return assembly, feeder and join of the streams that end in another case."""
        number = {name: index for index, name in enumerate(self.names)}
        visits = self.order.visits
        found: list[Join] = []
        if "parts" in visits.columns:
            stations = np.array(self.names, dtype=object)[self.code]
            found = recorded_joins(visits.with_columns(station=pl.Series(list(stations))))
        if not found:
            found = self._assumed_joins(arcs, has_stock=has_stock)
            self.notes += [
                f"{join.source} is assumed to feed {join.station}: {join.note}; the log does not "
                "name the consumed cases, so they are taken first in, first out."
                for join in found
            ]
        return [(number[join.station], number[join.source], join) for join in found]

    def _assumed_joins(self, arcs: Arcs, *, has_stock: bool) -> list[Join]:
        lines = components(arcs, list(range(self.n)))
        if len(lines) == 1:
            return []
        out: dict[int, int] = {}
        total: dict[int, int] = {}
        for (source, target), n in arcs.items():
            total[source] = total.get(source, 0) + n
            if target == self.n + 1:
                out[source] = n
        of = {index: k for k, part in enumerate(lines) for index in part}
        last = np.append(self.columns.first[1:], True)
        usual = np.array([times.mean for times in self.times])[self.columns.pair]
        no_end = np.isnan(self.columns.end)
        latest = np.where(no_end, self.columns.key + usual, self.columns.end)
        # What has no end because the log ended was not used up yet.
        is_over = ~no_end | (latest < np.nanmax(self.columns.key))
        starts = [np.sort(self.columns.key[self.code == index]) for index in range(self.n)]
        found = []
        fed: set[tuple[int, int]] = set()
        for source, n in out.items():
            if source >= self.n or n <= _MOSTLY * total[source]:
                continue
            ended = last & (self.code == source) & is_over
            others = [
                Consumer(self.names[index], starts[index])
                for index in range(self.n)
                if of[index] != of[source] and (of[index], of[source]) not in fed
            ]
            feeder = Feeder(self.names[source], np.sort(latest[ended]))
            join = assumed_join(feeder, others, self.loss.visits)
            if join is None and has_stock:
                join = assumed_join(feeder, others, self.loss.visits, has_stock=True)
            if join is not None:
                found.append(join)
                fed.add((of[source], of[self.names.index(join.station)]))
        return found

    def _with_joins(self, arcs: Arcs, joins: list[tuple[int, int, Join]]) -> Arcs:
        """Return the ways with joins in place of the ends of consumed cases."""
        result = dict(arcs)
        for station, source, join in joins:
            left = result.get((source, self.n + 1), 0) - join.n
            # What is left over are cases that wait to be used when the log ends.
            if join.basis == "assumed" or left <= 0.1 * join.n:
                result.pop((source, self.n + 1), None)
            else:
                result[source, self.n + 1] = left
            result[source, station] = join.n
        created = {station for station, _, _ in joins}
        for station in created:
            comes = sum(
                n
                for (source, target), n in arcs.items()
                if target == station and source not in (self.n, station)
            )
            begun = arcs.get((self.n, station), 0)
            if begun and comes == 0:
                result.pop((self.n, station))
                self.notes.append(
                    f"Cases that begin at {self.names[station]} are made of those that end in it."
                )
        return result

    def _scrap(self, arcs: Arcs, walk: Walks) -> dict[str, int]:
        """Return the cases that ended where most go on, if they failed or are few beside others."""
        on: dict[int, int] = {}
        for (source, target), n in arcs.items():
            if target != self.n + 1:
                on[source] = on.get(source, 0) + n
        ended = {source: n for (source, target), n in arcs.items() if target == self.n + 1}
        at_exits = sum(n for source, n in ended.items() if n > on.get(source, 0))
        # In a job shop cases of different kinds end at different stations.
        may_assume = at_exits >= _MOSTLY * sum(ended.values()) and not (
            self.grouping.pools or self.grouping.shared
        )
        n_known, n_failed = self._outcomes(walk)
        is_new = is_fresh(self.code, self.columns.first, self.n)
        n_items = np.bincount(self.code[is_new], minlength=self.n)
        found = {}
        for source, n in ended.items():
            if n >= on.get(source, 0):
                continue
            name = self.names[source]
            if n_known[source]:
                if n_failed[source] > _MOSTLY * n:
                    found[name] = n
            elif may_assume and n <= _MOST_SCRAP * n_items[source]:
                found[name] = n
                self.notes.append(
                    f"{n} cases ended at {name}, from which most go on: taken as scrap."
                )
        return found

    def _outcomes(self, walk: Walks) -> tuple[Codes, Codes]:
        """Return how many outcomes each station has, and how many of its last visits failed."""
        visits = self.order.visits
        if "success" not in visits.columns:
            none = np.zeros(self.n, dtype=np.int64)
            return none, none
        is_known = visits["success"].is_not_null().to_numpy()
        has_failed = visits["success"].eq_missing(other=False).to_numpy()
        is_last = walk.after == self.n + 1
        return (
            np.bincount(self.code[is_known], minlength=self.n),
            np.bincount(self.code[has_failed & is_last], minlength=self.n),
        )

    def _dependences(self, arcs: Arcs, walk: Walks) -> dict[str, Dependence]:
        found = {}
        for source in range(self.n):
            targets = [target for a, target in arcs if a == source]
            if len(targets) < 2:  # noqa: PLR2004 - no choice
                continue
            rows = np.flatnonzero((walk.code == source) & np.isin(walk.after, targets))
            moments = self.columns.end[rows]
            moments = np.where(np.isnan(moments), self.columns.key[rows], moments)
            result = dependence(walk.after[rows][np.argsort(moments, kind="stable")])
            found[self.names[source]] = result
            if result.p_value < _UNSURE:
                self.notes.append(
                    f"Where items go after {self.names[source]} depends on where the one before "
                    f"went (p = {result.p_value:.1g}); shares alone do not tell the rule."
                )
        return found

    def _note_losses(self, dropped: tuple[DroppedArc, ...], walk: Walks) -> None:
        if self.loss.events > 0:
            self.notes.append(
                f"About {100 * self.loss.events:.2g} % of the events are missing, from visits "
                "with a begin or an end only."
            )
        if dropped:
            listed = ", ".join(f"{arc.source} to {arc.target} ({arc.n})" for arc in dropped[:20])
            more = f" and {len(dropped) - 20} more" if len(dropped) > 20 else ""  # noqa: PLR2004 - that many are named
            self.notes.append(
                f"{len(dropped)} ways are taken for lost or turned events: {listed}{more}."
            )
        if walk.n_inside:
            self.notes.append(f"{walk.n_inside} cases were under way when the log began.")
        if walk.n_in_process:
            self.notes.append(f"{walk.n_in_process} cases were under way when the log ended.")
        for machine, stations in self.grouping.shared.items():
            self.notes.append(
                f"The machine '{machine}' does several activities and is shared by "
                f"{', '.join(stations)}."
            )


def _joins_by_station(joins: list[Join]) -> dict[str, tuple[Join, ...]]:
    found: dict[str, tuple[Join, ...]] = {}
    for join in joins:
        found[join.station] = (*found.get(join.station, ()), join)
    return found
