"""The serial line in SimPy: with its stores, with breakdowns, and without stores."""

import random
from collections.abc import Generator

import simpy

from benchmarks.serial_line import (
    MEAN_REPAIR,
    MEAN_RUNNING_TIME,
    MEAN_TIME,
    PLACES,
    LineRun,
    SerialLine,
)

Process = Generator[simpy.Event, object, None]


def simulate_with_stores(line: SerialLine, seed: int) -> LineRun:
    """Simulate the line as SimPy is meant: a machine is a process, a buffer is a store."""
    env = simpy.Environment()
    expovariate = random.Random(seed).expovariate
    buffers = [simpy.Store(env, PLACES) for _ in range(line.n_machines - 1)]
    visits = [0] * line.n_machines
    last = line.n_machines - 1

    def machine(index: int) -> Process:
        while True:
            if index > 0:
                yield buffers[index - 1].get()
            yield env.timeout(expovariate(1.0 / MEAN_TIME))
            visits[index] += 1
            if index < last:
                yield buffers[index].put(1)

    for index in range(line.n_machines):
        env.process(machine(index))
    env.run(line.horizon)
    return LineRun(line, tuple(visits))


def simulate_with_breakdowns(line: SerialLine, seed: int) -> LineRun:
    """Simulate the line with stores; a machine knows when it fails next and splits its timeout."""
    env = simpy.Environment()
    expovariate = random.Random(seed).expovariate
    buffers = [simpy.Store(env, PLACES) for _ in range(line.n_machines - 1)]
    visits = [0] * line.n_machines
    last = line.n_machines - 1

    def machine(index: int) -> Process:
        running_left = expovariate(1.0 / MEAN_RUNNING_TIME)
        while True:
            if index > 0:
                yield buffers[index - 1].get()
            work = expovariate(1.0 / MEAN_TIME)
            while work > running_left:
                yield env.timeout(running_left)
                work -= running_left
                yield env.timeout(expovariate(1.0 / MEAN_REPAIR))
                running_left = expovariate(1.0 / MEAN_RUNNING_TIME)
            yield env.timeout(work)
            running_left -= work
            visits[index] += 1
            if index < last:
                yield buffers[index].put(1)

    for index in range(line.n_machines):
        env.process(machine(index))
    env.run(line.horizon)
    return LineRun(line, tuple(visits))


def simulate_with_numbers(line: SerialLine, seed: int) -> LineRun:
    """Simulate the line with own buffers, an event only for a machine that has to wait."""
    env = simpy.Environment()
    expovariate = random.Random(seed).expovariate
    n = line.n_machines
    levels = [0] * n
    starved: list[simpy.Event | None] = [None] * n
    blocked: list[simpy.Event | None] = [None] * n
    visits = [0] * n

    def machine(index: int) -> Process:
        after = index + 1
        while True:
            if index > 0:
                if levels[index] == 0:
                    wait = env.event()
                    starved[index] = wait
                    yield wait
                levels[index] -= 1
                waiter = blocked[index]
                if waiter is not None:
                    blocked[index] = None
                    waiter.succeed()
            yield env.timeout(expovariate(1.0 / MEAN_TIME))
            visits[index] += 1
            if after < n:
                if levels[after] == PLACES:
                    wait = env.event()
                    blocked[after] = wait
                    yield wait
                levels[after] += 1
                waiter = starved[after]
                if waiter is not None:
                    starved[after] = None
                    waiter.succeed()

    for index in range(n):
        env.process(machine(index))
    env.run(line.horizon)
    return LineRun(line, tuple(visits))
