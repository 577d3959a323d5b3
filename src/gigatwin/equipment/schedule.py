"""When each activity begins in a cycle, which circuit sets the pace, and how much slack is left."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.model.equipment_model import Arc, Evaluation

_RELATIVE = 1e-9


@dataclass(frozen=True)
class Schedule:
    """The periodic schedule of a machine with one setting, every activity as early as it can be."""

    cycle_time: float
    """Time between two cycles. [s]"""
    starts: dict[str, float]
    """Activity to the time from the start of the cycle at which it begins. [s]"""
    durations: dict[str, float]
    """Activity to its mean duration. [s]"""
    slack: dict[str, float]
    """Activity to the time by which it could take longer, or begin later, without a longer cycle;
    0 for those that set it. [s]"""
    circuit: tuple[Arc, ...]
    """Arcs of a critical circuit, in their order."""
    tokens: float
    """Cycles that the critical circuit spans."""
    has_rivals: bool
    """Whether another circuit is as long, so that shortening this one alone gains nothing."""

    @property
    def critical(self) -> tuple[int, ...]:
        """Activities of the critical circuit, by their index."""
        return tuple(arc.tail for arc in self.circuit)


def critical_circuit(evaluation: Evaluation, row: int = 0) -> tuple[Arc, ...]:
    """Return the arcs of a circuit with the largest ratio of time to tokens.

    Parameters
    ----------
    evaluation : Evaluation
        The machine with one or more settings.
    row : int
        Which of the settings.
    """
    policy = evaluation.policies[row]
    arcs = evaluation.model.arcs
    weights = evaluation.columns([arc.weight for arc in arcs])[row]
    tokens = evaluation.columns([arc.tokens for arc in arcs])[row]
    best: tuple[float, tuple[Arc, ...]] = (-np.inf, ())
    seen: set[int] = set()
    for start in range(len(policy)):
        way: list[int] = []
        node = start
        while node not in seen and policy[node] >= 0:
            seen.add(node)
            way.append(node)
            node = arcs[policy[node]].head
        if node in way:
            chosen = [int(policy[k]) for k in way[way.index(node) :]]
            ratio = float(weights[chosen].sum() / tokens[chosen].sum())
            if ratio > best[0]:
                best = ratio, tuple(arcs[k] for k in chosen)
    return best[1]


def schedule(evaluation: Evaluation) -> Schedule:
    r"""Return the schedule of a machine of activities with one setting.

    Notes
    -----
    With the arcs' weights reduced to :math:`w - \lambda t`, longest ways between activities are
    finite. Those from a critical activity are an eigenvector of the max-plus matrix, and the
    longest circuit through an activity is minus its slack (F. Baccelli, G. Cohen, G. J. Olsder,
    J.-P. Quadrat, *Synchronization and Linearity*, Wiley, 1992, section 3.2).
    """
    model = evaluation.model
    cycle_time = float(np.ravel(evaluation.cycle_time)[0])
    ways, entry = _longest_ways(evaluation, cycle_time)
    circuit = critical_circuit(evaluation)
    starts = _starts(ways, circuit[0].tail)
    tolerance = _RELATIVE * max(cycle_time, 1e-9)
    slack = np.maximum(-np.diag(ways), 0.0)
    slack[slack < tolerance] = 0.0
    values = evaluation.values
    names = [activity.name for activity in model.activities]
    durations = [float(np.ravel(values[a.duration])[0]) for a in model.activities]
    return Schedule(
        cycle_time=cycle_time,
        starts=dict(zip(names, (float(x) for x in starts), strict=True)),
        durations=dict(zip(names, durations, strict=True)),
        slack=dict(zip(names, (float(x) for x in slack), strict=True)),
        circuit=circuit,
        tokens=float(sum(np.ravel(values[arc.tokens])[0] for arc in circuit)),
        has_rivals=_has_rivals(ways, entry, circuit, tolerance),
    )


def _longest_ways(
    evaluation: Evaluation, cycle_time: float
) -> tuple[NDArray[np.float64], list[tuple[Arc, float]]]:
    """Return longest reduced ways between activities, one arc or more, and reduced arcs."""
    arcs = evaluation.model.arcs
    weights = evaluation.columns([arc.weight for arc in arcs])[0]
    tokens = evaluation.columns([arc.tokens for arc in arcs])[0]
    reduced = weights - cycle_time * tokens
    n = len(evaluation.model.activities)
    ways = np.full((n, n), -np.inf)
    for arc, value in zip(arcs, reduced, strict=True):
        ways[arc.tail, arc.head] = max(ways[arc.tail, arc.head], value)
    for k in range(n):
        through = ways[:, k, None] + ways[None, k, :]
        np.maximum(ways, through, out=ways)
    return ways, [(arc, float(value)) for arc, value in zip(arcs, reduced, strict=True)]


def _starts(ways: NDArray[np.float64], critical: int) -> NDArray[np.float64]:
    starts = ways[critical].copy()
    starts[critical] = 0.0
    # What the critical circuit does not lead to begins as late as what follows it allows.
    for node in np.flatnonzero(np.isneginf(starts)):
        led = np.isfinite(ways[node]) & np.isfinite(starts)
        if led.any():
            starts[node] = float(np.min(starts[led] - ways[node][led]))
    # What neither is led to nor leads there begins as early as what it waits for allows.
    apart = np.isneginf(starts)
    known = np.where(apart, 0.0, starts)
    starts[apart] = np.maximum(known, (known[:, None] + ways).max(axis=0))[apart]
    from_zero: NDArray[np.float64] = starts - starts.min()
    return from_zero


def _has_rivals(
    ways: NDArray[np.float64],
    reduced: list[tuple[Arc, float]],
    circuit: tuple[Arc, ...],
    tolerance: float,
) -> bool:
    """Return whether a critical circuit has an arc that the circuit does not have."""
    known = {(arc.tail, arc.head, arc.weight, arc.tokens) for arc in circuit}
    return any(
        (arc.tail, arc.head, arc.weight, arc.tokens) not in known
        and value + (0.0 if arc.tail == arc.head else ways[arc.head, arc.tail]) > -tolerance
        for arc, value in reduced
    )
