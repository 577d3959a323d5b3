"""Machines made at random, and a machine run activity by activity, event by event.

An activity begins when each of its places holds a ripe token: it takes one from each and puts one
into each place behind it, ripe when it ends, or its overlap earlier. Tokens of a place stay in
their order, as carriers on a carousel do: none overtakes. Nothing here knows of recursions,
circuits or policies.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import numpy as np
from hypothesis import strategies as st


@dataclass
class _Place:
    head: int
    overlap: float
    ripe: deque[float] = field(default_factory=deque)


def mean_durations(evaluation, cycles):
    """Return the mean duration of each activity, in every cycle."""
    values = evaluation.values
    means = [float(np.ravel(values[part.duration])[0]) for part in evaluation.model.activities]
    return np.tile(means, (cycles, 1))


def drawn_durations(evaluation, cycles, rng):
    """Return random durations: steps that happen or not, times a lognormal number of mean 1."""
    columns = []
    for part in evaluation.model.activities:
        total = np.zeros(cycles)
        for step in part.steps:
            once = float(np.ravel(evaluation.values[step.once])[0])
            total += np.where(rng.uniform(size=cycles) < step.probability, step.times * once, 0.0)
        sigma = math.sqrt(math.log(1 + part.cv**2))
        columns.append(total * np.exp(sigma * rng.normal(size=cycles) - sigma**2 / 2))
    return np.column_stack(columns)


def start_times(evaluation, durations):
    """Return when each activity begins in each cycle, shape of the durations."""
    cycles, n_activities = durations.shape
    into, out_of = ([[] for _ in range(n_activities)] for _ in range(2))
    for arc in evaluation.model.arcs:
        overlap = float(np.ravel(evaluation.values[arc.overlap])[0]) if arc.overlap >= 0 else 0.0
        if overlap > durations[:, arc.tail].min():
            message = "an overlap is longer than its activity: a token is ripe before it is made"
            raise ValueError(message)
        count = int(np.ravel(evaluation.values[arc.tokens])[0])
        place = _Place(arc.head, overlap, deque([0.0] * count))
        into[arc.head].append(place)
        out_of[arc.tail].append(place)
    begun = [0] * n_activities
    starts = np.zeros_like(durations)
    rows = durations.tolist()
    agenda = [(0.0, activity) for activity in range(n_activities)]
    heapify(agenda)
    while agenda:
        now, activity = heappop(agenda)
        while begun[activity] < cycles and all(p.ripe and p.ripe[0] <= now for p in into[activity]):
            for place in into[activity]:
                place.ripe.popleft()
            duration = rows[begun[activity]][activity]
            starts[begun[activity], activity] = now
            begun[activity] += 1
            for place in out_of[activity]:
                ripe = now + (duration - place.overlap)
                place.ripe.append(ripe)
                heappush(agenda, (ripe, place.head))
    assert begun == [cycles] * n_activities, "the machine stands still"
    return starts


@st.composite
def machine_texts(draw, *, connected=False, is_random=False):
    """Return the description of a machine of a few activities that wait for each other.

    Parameters
    ----------
    connected : bool
        Whether something passes all activities and returns, so that all have one pace.
    is_random : bool
        Whether durations may be random; of such an activity only one cycle is under way at a time,
        so that none can overtake.
    """
    names = [f"a{k}" for k in range(draw(st.integers(1, 5)))]
    lines = ["name: random", "formats: {only: {}}", "activities:"]
    for k, name in enumerate(names):
        milliseconds = draw(st.integers(1, 9999))
        steps = [f"{{process: {milliseconds} ms}}"]
        cv, share = 0.0, 1.0
        if is_random:
            cv = draw(st.sampled_from([0.0, 0.1, 0.6]))
            share = draw(st.sampled_from([0.02, 0.5, 1.0]))
            steps.append(f"{{timer: {draw(st.integers(0, 9999))} ms, probability: {share}}}")
        overlap = 0 if cv else draw(st.sampled_from([0, 0, milliseconds // 3, milliseconds]))
        # What comes first in the list may be waited for in the same cycle.
        after = draw(st.dictionaries(st.integers(0, len(names) - 1), st.integers(0, 3), max_size=3))
        waits = ", ".join(
            f"{names[other]}: {cycles if other < k else max(cycles, 1)}"
            for other, cycles in after.items()
        )
        places = draw(st.integers(1, 3)) if cv == 0 and share == 1 else 1
        lines.append(
            f"  {name}: {{steps: [{', '.join(steps)}], after: {{{waits}}}, "
            f"overlap: {overlap} ms, places: {places}, cv: {cv}}}"
        )
    paths = [draw(st.lists(st.sampled_from(names), min_size=1, unique=True).map(sorted))]
    if connected:
        paths.append(names)
    lines.append("circulating:")
    for k, path in enumerate(paths):
        lines.append(f"  c{k}: {{count: {draw(st.integers(1, 4))}, path: [{', '.join(path)}]}}")
    return "\n".join(lines)
