"""Runs of the kernel and of the plain-Python reference, made comparable."""

import json

import numpy as np

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import DeadlockError
from gigatwin.kernel.layout import Law
from gigatwin.simulation.run import Run
from tests.reference.engine import Record
from tests.reference.simulator import Simulator

INEXACT = {Law.LOGNORMAL, Law.GAMMA}
"""Laws whose normal quantile may differ in the last digits between two implementations."""


def has_exact_times(compiled):
    return not INEXACT & set(compiled.model.laws["kind"].tolist())


def as_tuples(records):
    """Return kernel records as the reference writes them."""
    return [Record(*(row[name].item() for name in Record._fields)) for row in records]


def run_kernel(compiled, until, *, seed=1, replication=0):
    """Return a run that was advanced, and whether it ended in a deadlock."""
    run = Run(compiled, seed=seed, replication=replication, trace=True)
    try:
        run.advance(until)
    except DeadlockError:
        return run, True
    return run, False


def run_reference(compiled: CompiledModel, until, *, seed=1, replication=0):
    state = compiled.initial_state(seed, replication, trace=True)
    simulator = Simulator(compiled.model, state)
    simulator.advance(until)
    return simulator


def assert_same_records(found, expected, *, exact):
    """Compare logs record by record; report the first difference with what came before it."""
    for k, (left, right) in enumerate(zip(found, expected, strict=False)):
        same_time = left.time == right.time or (
            not exact and np.isclose(left.time, right.time, rtol=1e-9, atol=1e-9)
        )
        if left[1:] != right[1:] or not same_time:
            before = "\n".join(map(str, expected[max(0, k - 4) : k]))
            message = f"record {k}:\n{before}\nkernel    {left}\nreference {right}"
            raise AssertionError(message)
    rest = [*found[len(expected) :], *expected[len(found) :]][:1]
    assert len(found) == len(expected), f"one log has {rest}"


def show(factory):
    """Return a description that can be read again, without what is left at its default."""
    return json.dumps(factory.model_dump(mode="json", exclude_defaults=True))
