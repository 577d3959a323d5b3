"""Formulas of queueing theory and recursions for lines without chance, apart from the package."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, factorial

from scipy.optimize import brentq

from tests.validation.markov_chains import visits


def mmc(arrival_rate: float, rate: float, servers: int) -> dict[str, float]:
    """Return the M/M/c queue by Erlang's C formula."""
    load = arrival_rate / rate
    last = load**servers / factorial(servers) * servers / (servers - load)
    waits = last / (sum(load**k / factorial(k) for k in range(servers)) + last)
    queue = waits * load / (servers - load)
    return {
        "level": queue,
        "time_in_system": queue / arrival_rate + 1 / rate,
        "executing": load / servers,
    }


def mg1(arrival_rate: float, mean: float, second_moment: float) -> dict[str, float]:
    """Return the M/G/1 queue by the formula of Pollaczek and Khinchine."""
    load = arrival_rate * mean
    wait = arrival_rate * second_moment / (2 * (1 - load))
    return {"level": arrival_rate * wait, "time_in_system": wait + mean, "executing": load}


def mg1_by_cv(arrival_rate: float, mean: float, cv: float) -> dict[str, float]:
    """Return the M/G/1 queue for a coefficient of variation."""
    return mg1(arrival_rate, mean, mean**2 * (1 + cv**2))


def mg1_uniform(arrival_rate: float, low: float, high: float) -> dict[str, float]:
    """Return the M/G/1 queue with service between two bounds."""
    return mg1(arrival_rate, (low + high) / 2, (low**2 + low * high + high**2) / 3)


def mg1_triangular(arrival_rate: float, low: float, mode: float, high: float) -> dict[str, float]:
    """Return the M/G/1 queue with triangular service."""
    products = low * mode + low * high + mode * high
    variance = (low**2 + mode**2 + high**2 - products) / 18
    mean = (low + mode + high) / 3
    return mg1(arrival_rate, mean, mean**2 + variance)


def mg1_samples(arrival_rate: float, samples: Sequence[float]) -> dict[str, float]:
    """Return the M/G/1 queue with service drawn from a list."""
    n = len(samples)
    return mg1(arrival_rate, sum(samples) / n, sum(x * x for x in samples) / n)


def mg1_quantiles(arrival_rate: float, quantiles: Sequence[float]) -> dict[str, float]:
    """Return the M/G/1 queue with a mixture of uniform pieces of equal weight as service."""
    pieces = list(pairwise(quantiles))
    n = len(pieces)
    mean = sum(low + high for low, high in pieces) / 2 / n
    second = sum(low**2 + low * high + high**2 for low, high in pieces) / 3 / n
    return mg1(arrival_rate, mean, second)


def mg1_with_breakdowns(
    arrival_rate: float, mean: float, failure_rate: float, repair_mean: float
) -> dict[str, float]:
    """Return the queue of a machine with exponential work, failures while it runs, and repairs.

    An item stays for a completion time C = S + R_1 + ... + R_N with N Poisson in S.
    """
    stretch = 1 + failure_rate * repair_mean
    completion = mean * stretch
    variance = (mean * stretch) ** 2 + mean * failure_rate * 2 * repair_mean**2
    found = mg1(arrival_rate, completion, completion**2 + variance)
    load = arrival_rate * mean
    return found | {"executing": load, "breakdown": load * failure_rate * repair_mean}


def dm1(interval: float, rate: float) -> dict[str, float]:
    """Return the D/M/1 queue; sigma solves sigma = exp(-rate interval (1 - sigma))."""
    sigma = brentq(lambda x: x - exp(-rate * interval * (1 - x)), 0, 1 - 1e-9, xtol=1e-15)
    time = 1 / (rate * (1 - sigma))
    return {"time_in_system": time, "level": (time - 1 / rate) / interval}


def machine_repair(
    machines: int, failure_rate: float, repair_rate: float, crews: int
) -> dict[str, float]:
    """Return time shares of machines that share repair crews (M/M/c//N)."""
    weights = [1.0]
    for broken in range(machines):
        rate = (machines - broken) * failure_rate
        weights.append(weights[-1] * rate / (min(broken + 1, crews) * repair_rate))
    chances = [weight / sum(weights) for weight in weights]
    broken = sum(k * chance for k, chance in enumerate(chances))
    mended = sum(min(k, crews) * chance for k, chance in enumerate(chances))
    return {
        "executing": 1 - broken / machines,
        "breakdown": mended / machines,
        "waiting": (broken - mended) / machines,
        "crews_busy": mended,
    }


def parallel_behind_source(
    source_rate: float, rate: float, machines: int, places: int
) -> dict[str, float]:
    """Return throughput and source blocking of parallel machines behind one saturated source.

    The items beyond the source's work are a birth-and-death chain on 0 ... places + machines + 1;
    in the last state the source is blocked.
    """
    last = places + machines + 1
    weights = [1.0]
    for n in range(last):
        weights.append(weights[-1] * source_rate / (min(n + 1, machines) * rate))
    chances = [weight / sum(weights) for weight in weights]
    waiting = sum(min(n - machines, places) * chances[n] for n in range(machines + 1, last + 1))
    return {
        "throughput": source_rate * (1 - chances[-1]),
        "blocked": chances[-1],
        "level": waiting,
    }


def two_exponential_stations(first: float, second: float, places: int) -> dict[str, float]:
    """Return the throughput of two stations; see ``parallel_behind_source`` with one machine."""
    return parallel_behind_source(first, second, 1, places)


def two_machines_continuous(
    failure_rates: Sequence[float], repair_rates: Sequence[float], volume: float
) -> dict[str, float]:
    """Return the efficiency of a two-machine line with continuous flow and equal speeds.

    Failures depend on operation; up and down times are exponential; ``volume`` in time units.
    """
    (p1, p2), (r1, r2) = failure_rates, repair_rates
    ratio = (r1 + r2) / (p1 + p2)
    delta = p2 * ratio + r1 / ratio - p1 - r2
    e = exp(delta * volume)
    s = (e - 1) / delta if abs(delta) > 1e-12 else volume
    total = (
        (ratio + 2 + 1 / ratio) * s
        + (p1 + p2) / (r1 * p2)
        + 1 / p2
        + e * ((p1 + p2) / (r2 * p1) + 1 / p1)
    )
    return {
        "efficiency": ((ratio + 1) * s + 1 / p2 + e / p1) / total,
        "starved": (p1 + p2) / (r1 * p2 * total),
        "blocked": e * (p1 + p2) / (r2 * p1 * total),
    }


def feedback_network(
    arrival_rate: float,
    rates: Sequence[float],
    chances: Sequence[Sequence[float]],
    stations: Sequence[int],
) -> dict[str, float]:
    """Return the queues of an open network of single exponential machines (Jackson, Kelly).

    ``chances`` are those of one item to go from one condition to the next; ``stations`` has the
    machine of each condition. Every machine is an M/M/1 queue for all that comes to it.
    """
    often = visits(chances, 0)
    found = {"items_in_process": 0.0}
    for machine, rate in enumerate(rates):
        visited = sum(v for v, station in zip(often, stations, strict=True) if station == machine)
        load = arrival_rate * visited / rate
        found[f"visits_{machine + 1}"] = visited
        found[f"flow_{machine + 1}"] = arrival_rate * visited
        found[f"executing_{machine + 1}"] = load
        found[f"level_{machine + 1}"] = load**2 / (1 - load)
        found["items_in_process"] += load / (1 - load)
    found["time_in_system"] = found["items_in_process"] / arrival_rate
    return found


def max_plus_line(
    times: Mapping[str, Sequence[float]], formats: str, places: Sequence[int]
) -> dict[str, list[float]]:
    """Return when items start first and leave last in a line of single machines without chance.

    ``times`` has the times of a format at the stations, ``formats`` a letter for each item.
    D[k,i] = max(S + P[k,i], D[k-b-1,i+1]) with S = max(D[k,i-1], D[k-1,i]) and b places in front
    of station i + 1.
    """
    leaves: list[list[float]] = []
    starts = []
    for k, letter in enumerate(formats):
        row: list[float] = []
        for i, work in enumerate(times[letter]):
            start = max(row[i - 1] if i else 0.0, leaves[k - 1][i] if k else 0.0)
            if i == 0:
                starts.append(start)
            leave = start + work
            if i < len(places) and k - places[i] - 1 >= 0:
                leave = max(leave, leaves[k - places[i] - 1][i + 1])
            row.append(leave)
        leaves.append(row)
    return {"finished": [row[-1] for row in leaves], "started": starts}
