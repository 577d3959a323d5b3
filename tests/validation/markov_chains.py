"""Small production systems as continuous-time Markov chains, solved by linear algebra.

Nothing of the package is used here: each system is written down once more, as a start state and the
rates out of any state. All times are exponential; rates are per second.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from math import comb

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

Transitions = Callable[[Hashable], Iterable[tuple[float, Hashable]]]


def stationary(start: Hashable, transitions: Transitions) -> dict[Hashable, float]:
    """Return the probability of every state that can be reached, in the long run.

    Solves pi Q = 0 with the last balance equation replaced by sum(pi) = 1.
    """
    number = {start: 0}
    waiting = [start]
    rows, columns, rates = [], [], []
    while waiting:
        state = waiting.pop()
        for rate, following in transitions(state):
            if following not in number:
                number[following] = len(number)
                waiting.append(following)
            here, there = number[state], number[following]
            rows += [there, here]
            columns += [here, here]
            rates += [rate, -rate]
    n = len(number)
    kept = [(r, c, x) for r, c, x in zip(rows, columns, rates, strict=True) if r != n - 1]
    kept += [(n - 1, c, 1.0) for c in range(n)]
    row, column, value = (np.array(part) for part in zip(*kept, strict=True))
    matrix = coo_array((value, (row, column)), shape=(n, n)).tocsc()
    right = np.zeros(n)
    right[-1] = 1.0
    solution = spsolve(matrix, right)
    assert solution.min() > -1e-12
    return {state: float(solution[index]) for state, index in number.items()}


def _mean(chances: dict, value: Callable) -> float:
    return sum(chance * value(state) for state, chance in chances.items())


def serial_line(  # noqa: C901
    rates: Sequence[float],
    places: Sequence[int],
    machines: Sequence[int] | None = None,
    failure_rates: Sequence[float] | None = None,
    repair_rates: Sequence[float] | None = None,
) -> dict[str, float]:
    """Return throughput, levels and time shares of a saturated line, blocked after service.

    A state has (waiting, busy, blocked, down) for each station. ``places`` has the buffer in front
    of each station but the first, which always has material. A machine fails only while it is busy
    and goes on with its item after the repair.
    """
    n = len(rates)
    machines = machines or [1] * n
    failure_rates = failure_rates or [0.0] * n
    repair_rates = repair_rates or [0.0] * n
    capacity = [0, *places]

    def settle(stations: list[list[int]]) -> Hashable:
        # Blocked machines pass items on and idle ones take items in until nothing moves.
        moved = True
        while moved:
            moved = False
            for j in reversed(range(n)):
                waiting, busy, blocked, down = stations[j]
                idle = machines[j] - busy - blocked - down
                if idle and (j == 0 or waiting):
                    stations[j][1] += 1
                    stations[j][0] -= j > 0
                    moved = True
                    continue
                if not blocked:
                    continue
                if j == n - 1:
                    stations[j][2] -= 1
                    moved = True
                    continue
                after = stations[j + 1]
                if after[0] < capacity[j + 1]:
                    stations[j][2] -= 1
                    after[0] += 1
                    moved = True
                elif capacity[j + 1] == 0 and machines[j + 1] > sum(after[1:]):
                    stations[j][2] -= 1
                    after[1] += 1
                    moved = True
        return tuple(tuple(station) for station in stations)

    def transitions(state: Hashable) -> Iterable[tuple[float, Hashable]]:
        moves = ((1, 2, rates), (1, 3, failure_rates), (3, 1, repair_rates))
        for j in range(n):
            for here, there, speed in moves:
                if state[j][here] and speed[j]:
                    following = [list(station) for station in state]
                    following[j][here] -= 1
                    following[j][there] += 1
                    yield state[j][here] * speed[j], settle(following)

    chances = stationary(settle([[0, 0, 0, 0] for _ in range(n)]), transitions)
    found = {"throughput": rates[-1] * _mean(chances, lambda s: s[-1][1])}
    for j in range(n):
        for place, name in enumerate(("level", "executing", "blocked", "down")):
            share = 1 if place == 0 else machines[j]
            found[f"{name}_{j + 1}"] = (
                _mean(chances, lambda s, j=j, place=place: s[j][place]) / share
            )
    return found


def shared_repair(
    failure_rates: Sequence[float], repair_rates: Sequence[float]
) -> dict[str, float]:
    """Return time shares of machines that share one repair man, first come, first served.

    A state is the queue of broken machines; its first one is in repair.
    """

    def transitions(queue: Hashable) -> Iterable[tuple[float, Hashable]]:
        for machine, rate in enumerate(failure_rates):
            if machine not in queue:
                yield rate, (*queue, machine)
        if queue:
            yield repair_rates[queue[0]], queue[1:]

    chances = stationary((), transitions)
    found = {"busy": _mean(chances, bool)}
    for machine in range(len(failure_rates)):
        name = machine + 1
        found[f"executing_{name}"] = _mean(chances, lambda q, m=machine: m not in q)
        found[f"breakdown_{name}"] = _mean(chances, lambda q, m=machine: q[:1] == (m,))
        found[f"waiting_{name}"] = _mean(chances, lambda q, m=machine: m in q[1:])
    return found


def batch_queue(
    arrival_rate: float, batch_rate: float, minimum: int, most: int, truncated_at: int
) -> dict[str, float]:
    """Return the mean queue of a machine that takes what waits, from a minimum up to a most.

    A state is (items waiting, machine busy); arrivals are lost at the truncation.
    """

    def transitions(state: Hashable) -> Iterable[tuple[float, Hashable]]:
        waiting, busy = state
        if waiting < truncated_at:
            begins = not busy and waiting + 1 >= minimum
            yield arrival_rate, (0, True) if begins else (waiting + 1, busy)
        if busy:
            begins = waiting >= minimum
            yield batch_rate, (waiting - min(waiting, most), True) if begins else (waiting, False)

    chances = stationary((0, False), transitions)
    return {
        "level": _mean(chances, lambda s: s[0]),
        "executing": _mean(chances, lambda s: s[1]),
    }


def shortest_queue(arrival_rate: float, rates: Sequence[float], most: int) -> dict[str, float]:
    """Return the mean queues of two machines when an item joins the one with fewer waiting.

    The item in work does not count as waiting; on a tie the first machine is taken. A state has the
    items at each machine, cut off at ``most``.
    """

    def transitions(state: Hashable) -> Iterable[tuple[float, Hashable]]:
        first, second = state
        joins_first = max(first - 1, 0) <= max(second - 1, 0)
        if joins_first and first < most:
            yield arrival_rate, (first + 1, second)
        if not joins_first and second < most:
            yield arrival_rate, (first, second + 1)
        if first:
            yield rates[0], (first - 1, second)
        if second:
            yield rates[1], (first, second - 1)

    chances = stationary((0, 0), transitions)
    found = {f"level_{k + 1}": _mean(chances, lambda s, k=k: max(s[k] - 1, 0)) for k in range(2)}
    found["time_in_system"] = _mean(chances, sum) / arrival_rate
    return found


def assembly(  # noqa: C901
    source_rates: Sequence[float], rate: float, places: Sequence[int], needs: Sequence[int]
) -> dict[str, float]:
    """Return throughput and levels of two sources that feed the inputs of one assembly.

    The assembly fills its inputs in order, each up to what one product needs, and takes a part out
    of a buffer only when the inputs before are filled. A state has for each source the parts in its
    buffer and whether it is blocked, the parts loaded, and whether the assembly is busy.
    """

    def settle(levels: list[int], blocked: list[int], loaded: list[int], busy: int) -> Hashable:
        moved = True
        while moved:
            moved = False
            for k in range(2):
                if blocked[k] and levels[k] < places[k]:
                    blocked[k], levels[k], moved = 0, levels[k] + 1, True
            if not busy:
                short = next((k for k in range(2) if loaded[k] < needs[k]), None)
                if short is None:
                    loaded, busy, moved = [0, 0], 1, True
                elif levels[short]:
                    levels[short] -= 1
                    loaded[short] += 1
                    moved = True
        return tuple(levels), tuple(blocked), tuple(loaded), busy

    def transitions(state: Hashable) -> Iterable[tuple[float, Hashable]]:
        levels, blocked, loaded, busy = state
        for k in range(2):
            if not blocked[k]:
                done = list(blocked)
                done[k] = 1
                yield source_rates[k], settle(list(levels), done, list(loaded), busy)
        if busy:
            yield rate, settle(list(levels), list(blocked), list(loaded), 0)

    chances = stationary(((0, 0), (0, 0), (0, 0), 0), transitions)
    return {
        "throughput": rate * _mean(chances, lambda s: s[3]),
        "level_1": _mean(chances, lambda s: s[0][0]),
        "level_2": _mean(chances, lambda s: s[0][1]),
        "blocked_1": _mean(chances, lambda s: s[1][0]),
        "blocked_2": _mean(chances, lambda s: s[1][1]),
    }


def visits(chances: Sequence[Sequence[float]], start: int) -> list[float]:
    """Return how often a transient chain visits each state before it ends.

    Row ``i`` has the chances to go from state ``i`` to each state; what is missing to 1 ends it.
    """
    matrix = np.asarray(chances, dtype=float)
    return list(np.linalg.inv(np.eye(len(matrix)) - matrix)[start])


def closed_line(rates: Sequence[float], items: int) -> dict[str, float]:
    """Return throughput and queues of a loop of single machines with unlimited buffers.

    A state has the items at each machine; there are C(items + n - 1, n - 1) of them.
    """
    n = len(rates)

    def transitions(state: Hashable) -> Iterable[tuple[float, Hashable]]:
        for j in range(n):
            if state[j]:
                following = list(state)
                following[j] -= 1
                following[(j + 1) % n] += 1
                yield rates[j], tuple(following)

    chances = stationary((items, *[0] * (n - 1)), transitions)
    assert len(chances) == comb(items + n - 1, n - 1)
    found = {"throughput": rates[0] * _mean(chances, lambda s: s[0] > 0)}
    for j in range(n):
        found[f"level_{j + 1}"] = _mean(chances, lambda s, j=j: max(s[j] - 1, 0))
    return found
