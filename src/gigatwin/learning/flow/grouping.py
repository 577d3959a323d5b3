"""Which machines of a log are one station: parallel machines, and pools that share activities."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gigatwin.factory.routing import OUT
from gigatwin.learning.flow.arcs import Arcs
from gigatwin.learning.flow.stations import slug

Pair = tuple[str, str]
"""Activity and machine."""
_JACCARD = 0.9
_COMMON = 0.05
"""Share of the ways to or from a machine above which its equals must have the way too."""
_SEEN = 2
"""How often a way must be seen at a machine to count as one it has."""
_ALIKE = 0.10
"""Difference of mean times within which machines are alike."""
_ERRORS = 4.0
"""Or so many standard errors."""
_CHANGES = 0.2
"""Share of moves inside a pool that must go from one resource to another."""
_FEWEST_CHANGES = 20
"""Moves inside a pool from which this can be told."""
_BOTH = 0.3
"""Share of the cases of two machines above which these are no alternatives if they visit both."""
_FEWER_BOTH = 0.1
"""This share is enough if hardly a case comes back to the same machine, as rework would."""
_COME_BACK = 0.25
"""Cases that come back to the same machine, for each that visits both, from which it is rework."""
_DEPENDENT = 0.3
"""Cramer's V above which the machine decides on the next one."""


@dataclass(frozen=True)
class Group:
    """Pairs of activity and machine that are one station."""

    name: str
    """Name for a description."""
    pairs: tuple[int, ...]
    """Numbers of the pairs."""
    pool: str | None = None
    """The pool of resources that does it."""


@dataclass
class Grouping:
    """Stations, pools and shared machines."""

    groups: list[Group] = field(default_factory=list)
    pools: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Pool to its resources."""
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Machine with several activities to the stations it is."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Times:
    """Typical time at a pair of activity and machine."""

    n: int
    """Number of visits with both events."""
    mean: float
    """Mean without the longest tenth, which stops and full buffers make. [s]"""
    error: float
    """Its standard error. [s]"""


class Sharing:
    """Which machines the same cases visit."""

    def __init__(self, pair: NDArray[np.int64], first: NDArray[np.bool_], n_pairs: int) -> None:
        case = np.cumsum(first)
        rows = np.argsort(pair, kind="stable")
        bounds = np.searchsorted(pair[rows], np.arange(1, n_pairs))
        visited = [np.unique(own, return_counts=True) for own in np.split(case[rows], bounds)]
        self._cases = [cases for cases, _ in visited]
        self._n_again = [int((counts > 1).sum()) for _, counts in visited]

    def are_alternatives(self, a: int, b: int) -> bool:
        """Return whether a case visits one of two machines, and both at most in rework."""
        both = len(np.intersect1d(self._cases[a], self._cases[b], assume_unique=True))
        either = len(self._cases[a]) + len(self._cases[b]) - both
        if both > _BOTH * either:
            return False
        # Rework meets the same machine as often as the one beside it.
        again = self._n_again[a] + self._n_again[b]
        return both <= _FEWER_BOTH * either or again >= _COME_BACK * both


def times_of(lengths: NDArray[np.float64]) -> Times:
    """Return the typical time of visits that last so long."""
    if len(lengths) == 0:
        return Times(0, 0.0, 0.0)
    kept = np.sort(lengths)[: max(1, int(np.ceil(0.9 * len(lengths))))]
    error = float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else float(kept[0])
    return Times(len(lengths), float(kept.mean()), error)


def grouped(  # noqa: PLR0913 - all that is known of the pairs
    pairs: tuple[Pair, ...],
    arcs: Arcs,
    times: list[Times],
    have_one_queue: Callable[[int, int], bool],
    are_alternatives: Callable[[int, int], bool],
    *,
    by_machine: bool = False,
) -> Grouping:
    """Return which pairs of activity and machine are one station.

    Parameters
    ----------
    pairs : tuple
        Activity and machine of each pair.
    arcs : dict
        Believed ways between the pairs, with those from and to the outside.
    times : list of Times
        Typical time of each pair.
    have_one_queue : callable
        Whether two pairs take items in the order in which they come, as from one queue.
    are_alternatives : callable
        Whether cases visit one of two pairs rather than both.
    by_machine : bool
        Whether a machine is one station whatever it does.
    """
    result = Grouping()
    ways = _Ways(arcs, len(pairs))
    names = _Names(pairs)
    if by_machine or all(activity == machine for activity, machine in pairs):
        groups = _alike_machines(ways, times, have_one_queue, are_alternatives)
        if by_machine:
            members: dict[str, list[int]] = {}
            for index, (_, machine) in enumerate(pairs):
                members.setdefault(machine, []).append(index)
            groups = list(members.values())
        for group in groups:
            name = names.of_machines(group)
            result.groups.append(Group(name, tuple(group)))
            if len(group) > 1 and not by_machine:
                listed = ", ".join(pairs[index][1] for index in group)
                result.notes.append(
                    f"{listed} are taken as parallel machines of one station, '{name}': items come "
                    "from and go to the same places, in the order in which they come, and take "
                    "the same time."
                )
        return result
    _group_activities(pairs, ways, times, names, have_one_queue, result)
    return result


class _Ways:
    """What each pair came from and led to."""

    def __init__(self, arcs: Arcs, n_pairs: int) -> None:
        self.to: list[dict[int, int]] = [{} for _ in range(n_pairs)]
        self.come: list[dict[int, int]] = [{} for _ in range(n_pairs)]
        for (source, target), n in arcs.items():
            if source < n_pairs:
                self.to[source][target] = n
            if target < n_pairs:
                self.come[target][source] = n

    def merge(self, members: list[int]) -> None:
        """Take several pairs as one in what others come from and lead to."""
        for ways in (*self.to, *self.come):
            n = sum(ways.pop(member, 0) for member in members)
            if n:
                ways[members[0]] = n

    def come_alike(self, members: list[int]) -> bool:
        """Whether all members get their items from the same places."""
        first = self.come[members[0]]
        both = set(members)
        return all(_same(first, self.come[other], both) for other in members[1:])

    def are_same(self, a: int, b: int) -> bool:
        """Whether two pairs have the same neighbours."""
        both = {a, b}
        return _same(self.to[a], self.to[b], both) and _same(self.come[a], self.come[b], both)

    def are_mixed(self, members: list[int]) -> bool:
        """Whether it does not matter which of the members a case went to."""
        if all(self.are_same(members[0], other) for other in members[1:]):
            return True
        tables = ([self.to[m] for m in members], [self.come[m] for m in members])
        return all(_cramers_v(table) <= _DEPENDENT for table in tables)


def _same(a: Mapping[int, int], b: Mapping[int, int], both: set[int]) -> bool:
    n_a, n_b = sum(a.values()), sum(b.values())
    common = {
        way
        for way in (*a, *b)
        if way not in both and (a.get(way, 0) > _COMMON * n_a or b.get(way, 0) > _COMMON * n_b)
    }
    # A way of a machine that was hardly used may be missing by chance.
    shared = {
        way
        for way in common
        if (a.get(way, 0) >= _SEEN or b.get(way, 0) * n_a < _SEEN**2 * n_b)
        and (b.get(way, 0) >= _SEEN or a.get(way, 0) * n_b < _SEEN**2 * n_a)
    }
    return not common or len(shared) / len(common) > _JACCARD


def _cramers_v(rows: list[dict[int, int]]) -> float:
    """Return how much the row decides on the column, without the part that chance makes."""
    columns = sorted({way for row in rows for way in row})
    table = np.array([[row.get(way, 0) for way in columns] for row in rows], dtype=float)
    table = table[table.sum(axis=1) > 0]
    n = table.sum()
    n_rows, n_columns = table.shape
    if n < 2 or n_rows < 2 or n_columns < 2:  # noqa: PLR2004 - nothing to depend on
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    phi = max(0.0, phi - (n_rows - 1) * (n_columns - 1) / (n - 1))
    least = min(n_rows - (n_rows - 1) ** 2 / (n - 1), n_columns - (n_columns - 1) ** 2 / (n - 1))
    return float(np.sqrt(phi / max(least - 1, 1e-9)))


def _by_law(members: list[int], times: list[Times]) -> list[list[int]]:
    """Return the members in groups whose times are alike."""
    order = sorted(members, key=lambda index: times[index].mean)
    groups = [[order[0]]]
    for index in order[1:]:
        lowest = times[groups[-1][0]]
        this = times[index]
        limit = max(_ALIKE * this.mean, _ERRORS * float(np.hypot(this.error, lowest.error)))
        if this.mean - lowest.mean <= limit:
            groups[-1].append(index)
        else:
            groups.append([index])
    return [sorted(group) for group in groups]


def _alike_machines(
    ways: _Ways,
    times: list[Times],
    have_one_queue: Callable[[int, int], bool],
    are_alternatives: Callable[[int, int], bool],
) -> list[list[int]]:
    """Return machines in groups with the same neighbours and times, where names tell nothing."""
    neighbours: dict[int, list[int]] = {}
    for index, come in enumerate(ways.come):
        for source in come:
            neighbours.setdefault(source, []).append(index)
    taken: set[int] = set()
    groups = []
    for index in range(len(times)):
        if index in taken:
            continue
        near = {other for source in ways.come[index] for other in neighbours[source]}
        same = [
            other for other in sorted(near - taken) if other > index and ways.are_same(index, other)
        ]
        alike = next(group for group in _by_law([index, *same], times) if index in group)
        group = [index]
        for other in alike:
            # Without times nothing tells a machine from the one beside it.
            if (
                other != index
                and times[other].n
                and all(are_alternatives(member, other) for member in group)
                and have_one_queue(index, other)
            ):
                group.append(other)
        taken.update(group)
        groups.append(group)
    return groups


def _group_activities(  # noqa: PLR0913, PLR0917 - all that is known of the pairs
    pairs: tuple[Pair, ...],
    ways: _Ways,
    times: list[Times],
    names: "_Names",
    have_one_queue: Callable[[int, int], bool],
    result: Grouping,
) -> None:
    members: dict[str, list[int]] = {}
    activities: dict[str, set[str]] = {}
    for index, (activity, machine) in enumerate(pairs):
        members.setdefault(activity, []).append(index)
        activities.setdefault(machine, set()).add(activity)
    in_pool = _pools(pairs, members, activities, ways, result)
    own = {
        activity: [index for index in indices if len(activities[pairs[index][1]]) == 1]
        for activity, indices in members.items()
    }
    mixed = _mixed(own, ways, have_one_queue)
    stations: dict[str, list[str]] = {}
    for activity, indices in members.items():
        if activity in in_pool:
            groups = [indices]
        else:
            groups = [[index] for index in indices if index not in own[activity]]
            groups += _machines_of(activity, own[activity], pairs, times, result, mixed)
        for group in groups:
            name = names.of_activity(group, is_whole=len(groups) == 1)
            result.groups.append(Group(name, tuple(group), in_pool.get(activity)))
            machine = pairs[group[0]][1]
            if activity not in in_pool and len(activities[machine]) > 1:
                stations.setdefault(machine, []).append(name)
    result.shared.update({machine: tuple(found) for machine, found in sorted(stations.items())})


def _mixed(
    own: dict[str, list[int]], ways: _Ways, have_one_queue: Callable[[int, int], bool]
) -> set[str]:
    """Return the activities whose machines are equals: it is all the same which one an item gets.

    Machines that alternate strictly feed the same machines of the next station again and again;
    that they take items from one queue tells that they are no lanes of their own.
    """
    found: set[str] = set()
    is_new = True
    while is_new:
        is_new = False
        for activity, members in own.items():
            if len(members) < 2 or activity in found:  # noqa: PLR2004 - a machine has no equal
                continue
            if ways.are_mixed(members) or (
                ways.come_alike(members)
                and all(have_one_queue(members[0], other) for other in members[1:])
            ):
                ways.merge(members)
                found.add(activity)
                is_new = True
    return found


def _machines_of(  # noqa: PLR0913, PLR0917 - all that is known of an activity
    activity: str,
    own: list[int],
    pairs: tuple[Pair, ...],
    times: list[Times],
    result: Grouping,
    mixed: set[str],
) -> list[list[int]]:
    """Return machines that do nothing but one activity in groups that are one station each."""
    if len(own) > 1 and activity not in mixed:
        result.notes.append(
            f"'{activity}' is done on {len(own)} machines, each with its own way of items; they "
            "are kept apart."
        )
        return [[index] for index in own]
    groups: list[list[int]] = []
    if own:
        alike = _by_law(own, times)
        if len(alike) > 1:
            listed = "; ".join(
                ", ".join(f"{pairs[i][1]} {times[i].mean:.3g} s" for i in group) for group in alike
            )
            result.notes.append(
                f"The machines of '{activity}' take different times ({listed}); they are kept "
                "apart."
            )
        groups += alike
    return groups


def _pools(
    pairs: tuple[Pair, ...],
    members: dict[str, list[int]],
    activities: dict[str, set[str]],
    ways: _Ways,
    result: Grouping,
) -> dict[str, str]:
    """Return which pool does an activity; pools have two or more resources and activities."""
    sets = {
        activity: frozenset(pairs[index][1] for index in indices)
        for activity, indices in members.items()
    }
    clusters: list[list[str]] = []
    for activity, resources in sorted(sets.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(resources) < 2 or all(len(activities[r]) == 1 for r in resources):  # noqa: PLR2004 - one alone is no pool
            continue
        for cluster in clusters:
            other = sets[cluster[0]]
            if len(resources & other) / len(resources | other) > _JACCARD:
                cluster.append(activity)
                break
        else:
            clusters.append([activity])
    found: dict[str, str] = {}
    for cluster in clusters:
        resources = frozenset().union(*(sets[activity] for activity in cluster))
        # Whoever also works outside the pool is no equal of the others.
        if len(cluster) < 2 or any(not activities[r] <= set(cluster) for r in resources):  # noqa: PLR2004 - one alone is no pool
            continue
        if not _change_hands([members[activity] for activity in cluster], pairs, ways):
            continue
        name = _free(_stem(sorted(resources)) or "pool", set(result.pools))
        result.pools[name] = tuple(sorted(resources))
        found.update(dict.fromkeys(cluster, name))
        result.notes.append(
            f"{len(resources)} resources ('{name}') do the same {len(cluster)} activities; they "
            "are taken as one pool of equals."
        )
    return found


def _change_hands(members: list[list[int]], pairs: tuple[Pair, ...], ways: _Ways) -> bool:
    """Return whether cases go from one resource to another, as they do in a pool of equals.

    Where the next activity is nearly always done by the same machine, these are lanes.
    """
    inside = {index for indices in members for index in indices}
    same = other = 0
    for index in inside:
        for target, n in ways.to[index].items():
            if target in inside and pairs[target][1] == pairs[index][1]:
                same += n
            elif target in inside:
                other += n
    if same + other >= _FEWEST_CHANGES:
        return other > _CHANGES * (same + other)
    return all(ways.are_mixed(indices) for indices in members)


class _Names:
    """Names for descriptions, each given once."""

    def __init__(self, pairs: tuple[Pair, ...]) -> None:
        self._pairs = pairs
        self._taken = {OUT, "in"}

    def of_machines(self, group: list[int]) -> str:
        """Return a name for machines whose activity is not known."""
        machines = sorted({self._pairs[index][1] for index in group})
        return self._give(machines[0] if len(machines) == 1 else _stem(machines) or machines[0])

    def of_activity(self, group: list[int], *, is_whole: bool) -> str:
        """Return a name for machines that do one activity."""
        activity, machine = self._pairs[group[0]]
        last = _last_part(activity)
        alike = sum(other == machine and _last_part(name) == last for name, other in self._pairs)
        step = last if alike == 1 else activity
        if is_whole and (len(group) > 1 or _stem([machine]) == slug(activity)):
            unique = {name for name, _ in self._pairs if _last_part(name) == last}
            return self._give(last if len(unique) == 1 else activity)
        if activity == machine:
            return self._give(machine)
        return self._give(f"{slug(machine)}-{slug(step)}")

    def _give(self, wanted: str) -> str:
        name = _free(slug(wanted), self._taken)
        self._taken.add(name)
        return name


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _stem(names: list[str]) -> str:
    """Return what names begin with in common, without a number at the end."""
    first, last = min(names), max(names)
    n = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    stem = re.sub(r"[\W_]*\d*$", "", first[:n])
    return slug(stem) if stem else ""


def _last_part(activity: str) -> str:
    return activity.rstrip("/").rsplit("/", maxsplit=1)[-1]
