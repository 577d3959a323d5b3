"""Telegrams, counters and states of a machine tell one story."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from gigatwin.standards.packml import PackMLState
from tests.unit.plant.lines import TANGLED, by_tag, hidden_plant, telegrams


@pytest.fixture(scope="module")
def told():
    plant = hidden_plant(TANGLED, seed=11)
    readings = plant.advance(2 * 3600.0)
    return plant, readings


def test_readings_come_in_the_order_of_time(told):
    _, readings = told
    moments = [reading.source_time for reading in readings]
    assert moments == sorted(moments)


def test_telegrams_are_numbered_from_1_without_gaps_at_each_machine(told):
    _, readings = told
    numbers = defaultdict(list)
    for _, element, telegram in telegrams(readings):
        numbers[element].append(telegram.number)
    assert len(numbers) == 12
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_telegrams_have_the_form_that_they_are_read_in(told):
    _, readings = told
    texts = [r.value for r in readings if r.tag.endswith("/Status.Tracking")]
    assert all(telegram.text == text for text, (_, _, telegram) in
               zip(texts, telegrams(readings), strict=True))  # fmt: skip


def test_counters_count_what_the_telegrams_say(told):
    plant, readings = told
    left, scrapped = Counter(), Counter()
    for _, element, telegram in telegrams(readings):
        if telegram.kind == "LEAVE":
            left[element] += 1
            scrapped[element] += telegram.detail == "scrap"
    values = by_tag(readings)
    for name, machine in plant.true_state().machines.items():
        element = name.replace("#", "_")
        assert machine.processed == left[element]
        assert machine.defective == scrapped[element]
        for label, count in (("Processed", left), ("Defective", scrapped)):
            counted = values[f"{element}/Admin.Prod{label}Count"]
            assert counted == sorted(set(counted))
            assert (counted or [0])[-1] == count[element]
    assert sum(scrapped.values()) > 10


def test_everything_that_changes_at_one_moment_has_one_time(told):
    _, readings = told
    moments = defaultdict(set)
    for reading in readings:
        moments[reading.source_time].add(reading.tag)
    # A machine that begins to work says so with its state.
    for time, element, telegram in telegrams(readings):
        if telegram.kind == "LEAVE" and element != "cooling":
            assert f"{element}/Admin.ProdProcessedCount" in moments[time]


def test_state_tags_change_at_most_once_in_a_moment(told):
    _, readings = told
    seen = Counter(
        (r.tag, r.source_time) for r in readings if not r.tag.endswith("/Status.Tracking")
    )
    assert max(seen.values()) == 1


def test_interlocks_say_why_a_machine_is_suspended(told):
    _, readings = told
    values = defaultdict(dict)
    at = None
    for reading in readings:
        if at is not None and reading.source_time != at:
            for tags in values.values():
                is_waiting = tags.get("Starved", True) + tags.get("Blocked", False)
                if tags.get("state", 5) == PackMLState.SUSPENDED:
                    assert is_waiting == 1
                else:
                    assert is_waiting == 0
        at = reading.source_time
        element, _, label = reading.tag.partition("/")
        if label == "Status.StateCurrent":
            values[element]["state"] = reading.value
        elif label.startswith("Status.EquipmentInterlock."):
            values[element][label.rpartition(".")[2]] = reading.value


def test_only_changes_are_said(told):
    _, readings = told
    values = by_tag(readings)
    for tag, said in values.items():
        if not tag.endswith("/Status.Tracking"):
            assert all(a != b for a, b in pairwise(said)), tag


def test_stops_are_named(told):
    _, readings = told
    reasons = by_tag(readings)
    said = set(reasons["cutting_1/Admin.StopReason"])
    assert {"jam", "fault", "cleaning", ""} <= said <= {
        "jam", "fault", "cleaning", "waiting_for_crew", ""
    }  # fmt: skip
