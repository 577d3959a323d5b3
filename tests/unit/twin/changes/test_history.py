"""What was learned is found again."""

import asyncio

import pytest

from gigatwin.twin.changes import Kind, RefusedError, Status, histories, search
from gigatwin.twin.changes.errors import ChangeError


@pytest.fixture
def three(desk, anna, boris, plant):
    """Return three changes: one kept by hand of nobody, one declined, one not allowed."""
    speed = desk.propose({"press.speed": "1.05"}, reason="Ofen läuft leer", by=anna).change
    desk.approve(speed, boris)
    asyncio.run(desk.apply(speed, plant, plant_time=0.0))
    buffer = desk.propose({"oven.buffer.capacity": "9"}, reason="micro-stops", by=anna).change
    desk.decline(buffer, boris, "no room")
    wrong = desk.propose({"oven.speed": "-1"}, reason="a typo", by=anna).change
    return speed, buffer, wrong


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({}, [0, 1, 2]),
        ({"text": "LÄUFT"}, [0]),
        ({"text": "no room"}, [1]),
        ({"text": "press_1/command"}, [0]),
        ({"text": "99.75"}, []),
        ({"station": "oven"}, [1, 2]),
        ({"station": "press"}, [0]),
        ({"person": "boris"}, [0, 1]),
        ({"person": "anna"}, [0, 1, 2]),
        ({"outcome": "watched"}, [0]),
        ({"outcome": "not_allowed"}, [2]),
        ({"text": "micro", "person": "boris", "station": "oven", "outcome": "declined"}, [1]),
        ({"text": "micro", "station": "press"}, []),
    ],
)
def test_changes_are_found_by_what_is_known_of_them(desk, three, conditions, found):
    hits = search(desk.changes().values(), **conditions)
    assert [history.change for history in hits] == [three[k] for k in found]


def test_refused_steps_belong_to_their_change_and_do_not_move_it(desk, three, boris):
    with pytest.raises(RefusedError):
        desk.approve(three[2], boris)
    history = desk.find(three[2])
    assert history.status is Status.NOT_ALLOWED
    assert history.entries[-1].kind == Kind.REFUSED
    assert "-1" in history.outcome


def test_signatures_and_digests_are_no_words(desk, three):
    entry = desk.find(three[0]).approval
    for name in ("signature", "digest", "head"):
        assert search(desk.changes().values(), text=entry.data[name][:6]) == []


def test_change_is_named_by_its_number(desk, three):
    assert desk.find("c2").change == three[1]
    with pytest.raises(ChangeError):
        desk.find("c")


def test_status_says_what_is_open_and_what_the_plant_has():
    assert {status for status in Status if not status.is_open} == {
        Status.NOT_ALLOWED,
        Status.DECLINED,
        Status.KEPT,
        Status.ROLLED_BACK,
    }
    assert Status.WATCHED.is_in_plant
    assert not Status.KEPT.is_in_plant


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Kind.PROPOSED, {}),
        (Kind.PROPOSED, {"proposal": {"change": "c1"}}),
        (Kind.PROPOSED, {"proposal": None}),
    ],
)
def test_entry_without_what_its_kind_needs_is_one_clear_error(desk, kind, data):
    desk.record.append(kind, change="c1", data=data)
    with pytest.raises(ChangeError, match="record"):
        histories(desk.record.entries())
