import pytest

from gigatwin.errors import FactoryError
from gigatwin.factory.changes import with_changes, with_parameter_set
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Distribution
from gigatwin.factory.reading import read_text
from gigatwin.factory.stations import DiscreteStation

FACTORY = read_text(
    """
name: line
formats: {A: {}, B: {}}
resources: {crew: {capacity: 2}}
stations:
  wind:
    rate: {by_format: {A: 10 ppm, B: 12 ppm}}
    stops: {jam: {kind: micro_stop, every: 5000 items, duration: 20 s}}
  weld: {time: 5 s}
orders: [{format: A, quantity: 5}]
parameter_sets:
  fast: {wind.speed: 1.5, wind.stops.jam.duration: 10 s}
  wrong: {wind.stops.jam.duration: 10}
"""
)


def station(factory, name):
    found = factory.stations[name]
    assert isinstance(found, DiscreteStation)
    return found


def problems(changes):
    with pytest.raises(FactoryError) as caught:
        with_changes(FACTORY, changes)
    return str(caught.value).split("\n")


def test_fields_of_stations_are_changed_and_nothing_else():
    changed = with_changes(
        FACTORY,
        {"wind.speed": "1.2", "wind.stops.jam.duration": "30 s", "weld.buffer.capacity": 20},
    )
    assert station(changed, "wind").speed == 1.2
    assert station(changed, "wind").stops["jam"].duration == 30.0
    assert station(changed, "weld").buffer.capacity == 20
    assert station(FACTORY, "wind").speed == 1.0
    back = with_changes(
        changed, {"wind.speed": 1, "wind.stops.jam.duration": "20 s", "weld.buffer.capacity": 0}
    )
    assert back == FACTORY


def test_no_changes_give_an_equal_factory():
    assert with_changes(FACTORY, {}) == FACTORY


def test_fields_of_the_factory_are_changed():
    changed = with_changes(FACTORY, {"resources.crew.capacity": 3, "orders.0.quantity": "7"})
    assert changed.resources["crew"].capacity == 3
    assert changed.orders[0].quantity == 7


def test_full_path_names_a_station_too():
    assert station(with_changes(FACTORY, {"stations.weld.time": "7 s"}), "weld").time == 7.0


def test_one_value_replaces_one_for_each_format():
    changed = station(with_changes(FACTORY, {"wind.rate": "15 ppm"}), "wind")
    assert changed.rate == 0.25


def test_value_of_one_format_is_changed():
    changed = station(with_changes(FACTORY, {"wind.rate.by_format.A": "15 ppm"}), "wind")
    assert changed.rate == ByFormat(by_format={"A": 0.25, "B": 0.2})


def test_time_replaces_rate():
    changed = station(with_changes(FACTORY, {"wind.time": "4 s"}), "wind")
    assert (changed.time, changed.rate) == (4.0, None)


def test_text_in_braces_is_read_as_yaml():
    given = "{distribution: gamma, mean: 5 s, cv: 2}"
    changed = station(with_changes(FACTORY, {"weld.time": given}), "weld")
    assert changed.time == Distribution(distribution="gamma", mean=5.0, cv=2.0)


def test_model_can_be_given():
    law = Distribution(distribution="exponential", mean=5.0)
    assert station(with_changes(FACTORY, {"weld.time": law}), "weld").time == law


def test_new_stop_can_be_given_as_a_whole():
    given = "{kind: planned, every: 8 h, duration: 5 min}"
    changed = station(with_changes(FACTORY, {"weld.stops.service": given}), "weld")
    assert changed.stops["service"].duration == 300.0


def test_unknown_names_are_reported_together_with_suggestions():
    found = problems(
        {
            "wind.sped": 1,
            "wnd.speed": 2,
            "wind.stops.jm.duration": "3 s",
            "resources.crw.capacity": 2,
            "weld.buffer.capcity": 2,
        }
    )
    assert [line.rsplit("; ", 1)[1] for line in found] == [
        "did you mean 'speed'?",
        "did you mean 'wind'?",
        "did you mean 'jam'?",
        "did you mean 'crew'?",
        "did you mean 'capacity'?",
    ]
    assert found[0].startswith("changes wind.sped: sped; must be a field or name in stations.wind")


@pytest.mark.parametrize("given", [12, 12.0, "12"])
def test_value_without_its_unit_is_refused(given):
    (found,) = problems({"weld.time": given})
    assert found.startswith("changes stations.weld time: 12")
    assert found.endswith("needs a unit, e.g. '12 s'")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"weld.machines": True}, "machines: True; must be a valid integer"),
        ({"weld.time": "{mean: 5 s"}, "must be valid YAML"),
        ({"weld.next": "wid"}, "next: wid; must be a station; did you mean 'wind'?"),
        ({"orders.3.quantity": 5}, "3; must be a field or name in orders"),
        ({"": 5}, "must be a station or field"),
        ({"weld": 5}, "must be a mapping with the fields of a station"),
        ({"weld.energy.exeuting": "3 kW"}, "exeuting: unknown field; did you mean 'executing'?"),
    ],
)
def test_changes_that_do_not_fit_are_refused(changes, expected):
    (found,) = problems(changes)
    assert expected in found


def test_parameter_set_is_applied():
    changed = station(with_parameter_set(FACTORY, "fast"), "wind")
    assert (changed.speed, changed.stops["jam"].duration) == (1.5, 10.0)


def test_problem_of_a_parameter_set_names_the_set():
    with pytest.raises(FactoryError, match=r"^parameter set wrong .* 10; needs a unit"):
        with_parameter_set(FACTORY, "wrong")


def test_unknown_parameter_set_gets_a_suggestion():
    with pytest.raises(FactoryError, match="did you mean 'fast'"):
        with_parameter_set(FACTORY, "fats")
