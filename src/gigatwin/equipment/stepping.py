r"""Cycles of a machine whose activities take random times, one cycle after the other.

The cycle time of a machine with random durations is longer than that of their means, because a
cycle waits for the slowest of what runs side by side. It is calculated by the recursion
:math:`x_v(k) = \max_{u \to v} (x_u(k - t) + w_{uv}(k - t))` over drawn durations.
"""

import math
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.schedule import critical_circuit
from gigatwin.kernel._jit import jit

WARM_UP = 200
"""Cycles at the start that are not recorded: the machine fills."""


def is_random(evaluation: Evaluation) -> bool:
    """Return whether any activity of a machine takes a random time."""
    return any(
        activity.cv > 0 or any(step.probability < 1 for step in activity.steps)
        for activity in evaluation.model.activities
    )


def draw_durations(
    evaluation: Evaluation, cycles: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return durations of every activity in every cycle, shape (cycles, n_activities). [s].

    Parameters
    ----------
    evaluation : Evaluation
        The machine with one setting.
    cycles : int
        Number of cycles.
    rng : Generator
        Where the random numbers come from.

    Notes
    -----
    Steps of a probability below 1 happen or not, independently. The whole duration is then
    multiplied by a lognormal number with mean 1 and the activity's cv.
    """
    values = evaluation.values
    durations = np.empty((cycles, len(evaluation.model.activities)))
    for k, activity in enumerate(evaluation.model.activities):
        total = np.zeros(cycles)
        mean = 0.0
        for step in activity.steps:
            once = float(np.ravel(values[step.once])[0])
            happens = 1.0 if step.probability == 1 else rng.random(cycles) < step.probability
            total += step.times * once * happens
            mean += float(np.ravel(values[step.time])[0])
        # What the activity takes beyond its steps is a factor on its duration.
        factor = float(np.ravel(values[activity.duration])[0]) / mean if mean > 0 else 1.0
        if activity.cv > 0:
            spread = math.sqrt(math.log1p(activity.cv**2))
            total *= rng.lognormal(-spread * spread / 2, spread, cycles)
        durations[:, k] = total * factor
    return durations


def cycle_times(
    evaluation: Evaluation, durations: NDArray[np.float64], skip: int = WARM_UP
) -> NDArray[np.float64]:
    """Return the times between cycles of a slowest activity, shape (cycles - skip - 1,). [s].

    Parameters
    ----------
    evaluation : Evaluation
        The machine with one setting.
    durations : array, shape (cycles, n_activities)
        How long each activity takes in each cycle. [s]
    skip : int
        Cycles at the start that are not returned.
    """
    arcs = evaluation.model.arcs
    values = evaluation.values
    overlaps = [0.0 if a.overlap < 0 else float(np.ravel(values[a.overlap])[0]) for a in arcs]
    tokens = np.array([float(np.ravel(values[a.tokens])[0]) for a in arcs]).astype(np.int64)
    before: dict[int, set[int]] = {k: set() for k in range(len(evaluation.model.activities))}
    for arc, held in zip(arcs, tokens, strict=True):
        if held == 0:
            before[arc.head].add(arc.tail)
    order = list(TopologicalSorter(before).static_order())
    by_head = sorted(range(len(arcs)), key=lambda k: order.index(arcs[k].head))
    starts = np.zeros_like(durations)
    _step(
        np.array([arcs[k].tail for k in by_head], dtype=np.int64),
        np.array([arcs[k].head for k in by_head], dtype=np.int64),
        tokens[by_head],
        np.array(overlaps)[by_head],
        durations,
        starts,
    )
    # Starts, for an end adds the noise of its own duration, which the next cycle takes back.
    times: NDArray[np.float64] = np.diff(starts[:, _paced(evaluation)])[skip:]
    return times


def _paced(evaluation: Evaluation) -> int:
    """Return the last activity that has the pace of a critical circuit, or is led to by one."""
    led = {arc.tail for arc in critical_circuit(evaluation)}
    while True:
        more = led | {arc.head for arc in evaluation.model.arcs if arc.tail in led}
        if more == led:
            return max(led)
        led = more


@jit
def _step(  # noqa: PLR0913, PLR0917 - arrays, which compiled code may not create
    tails: NDArray[np.int64],
    heads: NDArray[np.int64],
    tokens: NDArray[np.int64],
    overlaps: NDArray[np.float64],
    durations: NDArray[np.float64],
    starts: NDArray[np.float64],
) -> None:
    """Fill in the starts; arcs are sorted so that what is in the same cycle is known before."""
    for k in range(durations.shape[0]):
        if k > 0:
            # Nothing overtakes: places keep their order, also with several cycles under way.
            for activity in range(durations.shape[1]):
                starts[k, activity] = starts[k - 1, activity]
        for arc in range(tails.shape[0]):
            earlier = k - tokens[arc]
            if earlier < 0:
                continue
            tail, head = tails[arc], heads[arc]
            ready = starts[earlier, tail] + durations[earlier, tail] - overlaps[arc]
            starts[k, head] = max(starts[k, head], ready)
