import polars as pl
import pytest

from gigatwin.compiler import compile_factory
from gigatwin.errors import StudyError
from gigatwin.factory import load, read_text
from gigatwin.simulation import simulate, throughput_of, trace_of

pytestmark = pytest.mark.compiled

LINE = read_text("name: line\nstations: {a: {time: 10 s}, b: {time: 7 s, buffer: {capacity: 2}}}\n")


def test_throughput_of_a_deterministic_line_is_that_of_its_slowest_machine():
    assert throughput_of(LINE, 10_017.0, 17.0) == pytest.approx(0.1)


def test_throughput_is_that_of_the_same_replication_of_a_study():
    factory = load("two-machine")
    result = simulate(factory, days=0.5, replications=3, warm_up=4320.0, seed=5)
    found = throughput_of(compile_factory(factory), 43_200.0, 4320.0, 5, 2)
    assert 3600 * found == pytest.approx(result.samples["throughput_rate [1/h]"][2])


def test_trace_is_that_of_the_same_replication_of_a_study():
    factory = load("two-machine")
    result = simulate(factory, days=0.05, replications=1, warm_up=0.0, seed=3, trace=True)
    assert trace_of(factory, 4320.0, seed=3).equals(result.events)


def test_trace_leaves_the_warm_up_out():
    events = trace_of(LINE, 100.0, warm_up=40.0)
    assert events["time"].min() == 40.0
    whole = trace_of(LINE, 100.0)
    assert events.equals(whole.filter(pl.col("time") >= 40.0))


def test_replications_differ():
    compiled = compile_factory(load("two-machine"))
    assert len({throughput_of(compiled, 9999.0, replication=k) for k in range(5)}) > 1


def test_warm_up_as_long_as_the_run_is_refused():
    with pytest.raises(StudyError, match="100 s with a warm-up of 100 s; the warm-up must be"):
        throughput_of(LINE, 100.0, 100.0)
