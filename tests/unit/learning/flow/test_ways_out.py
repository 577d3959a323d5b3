"""Ways on from stations that no item was seen to leave."""

import pytest

from gigatwin.errors import TelemetryError
from gigatwin.learning.flow.topology import Flow, FlowStation
from gigatwin.learning.flow.ways_out import ways_on


def flow(arcs: dict[str, dict[str, int]], n_visits: int = 10) -> Flow:
    names = [name for name in arcs if name != "in"]
    stations = {name: FlowStation(name, (name,), (name,), 1, 1, n_visits) for name in names}
    return Flow(stations, arcs)


def test_ways_of_a_line_stay_as_they_are():
    arcs = {"in": {"a": 10}, "a": {"b": 10}, "b": {"out": 10}}
    assert ways_on(flow(arcs)) == ({"a": {"b": 10}, "b": {"out": 10}}, ())


def test_items_that_stayed_in_a_circle_are_taken_to_leave_there():
    arcs = {"in": {"a": 10}, "a": {"out": 7, "b": 3}, "b": {"c": 8}, "c": {"b": 9}}
    ways, notes = ways_on(flow(arcs))
    assert ways["b"] == {"c": 8, "out": 2}
    assert ways["c"] == {"b": 9, "out": 1}
    assert ways["a"] == {"out": 7, "b": 3}
    assert [f"from {name} " in note for name, note in zip("bc", notes, strict=True)] == [True, True]


def test_line_that_nothing_leaves_is_refused():
    with pytest.raises(TelemetryError, match="needs cases that are finished"):
        ways_on(flow({"in": {"a": 1}, "a": {"a": 9}}))
