from gigatwin.factory.flow import all_routes, feeders, routes_of, supplied_stations, targets_of
from gigatwin.factory.reading import read_text
from gigatwin.factory.routing import Shortest

FACTORY = read_text(
    """
name: line
stations:
  a: {time: 1 s}
  b: {kind: assembly, time: 1 s, inputs: {can: {}}, finds: {rework: r}, next: {shortest: [c, d]}}
  can: {time: 1 s, next: b.can}
  c: {time: 1 s, next: out}
  d: {time: 1 s}
  r: {time: 1 s, repairs: all, next: b}
arrivals:
  stream: {interval: 10 s, next: a}
"""
)


def test_default_way_is_to_the_next_station_of_the_file():
    FACTORY_ROUTES = all_routes(FACTORY)  # noqa: N806
    assert FACTORY_ROUTES["a"] == "b"
    assert FACTORY_ROUTES["d"] == "r"


def test_last_station_leads_out_by_default():
    factory = read_text("name: x\nstations: {a: {time: 1 s}, b: {time: 1 s}}")
    assert routes_of(factory, "b") == "out"


def test_given_ways_are_kept():
    way = routes_of(FACTORY, "b")
    assert isinstance(way, Shortest)
    assert targets_of(way) == ("c", "d")


def test_feeders_hold_routes_rework_inputs_and_arrivals():
    fed = feeders(FACTORY)
    assert fed["a"] == ("arrivals.stream",)
    assert fed["b"] == ("a", "r")
    assert fed["b.can"] == ("can",)
    assert fed["can"] == ()
    assert fed["c"] == ("b",)
    assert fed["r"] == ("b", "d")


def test_station_that_nothing_leads_to_is_supplied():
    assert supplied_stations(FACTORY) == ("can",)
