"""A proposal is checked, predicted, and turned into writes with a way back."""

import pytest

from gigatwin.factory import load, with_changes
from gigatwin.telemetry import TagWrite
from gigatwin.twin.changes import Guard, RefusedError, Status
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.proposal import Proposal
from gigatwin.twin.changes.writes import is_same, plan_writes


def texts(history):
    return " ".join(check["text"] for check in history.checks)


def test_speed_is_written_to_every_machine_in_its_own_unit(desk, anna):
    history = desk.propose({"press.speed": "1.05"}, reason="oven waits", by=anna)
    proposal = history.proposal
    assert history.status is Status.PROPOSED
    assert proposal.writes == (
        TagWrite("press_1/Command.MachSpeed", pytest.approx(10.5)),
        TagWrite("press_2/Command.MachSpeed", pytest.approx(10.5)),
    )
    assert proposal.rollback == (
        TagWrite("press_2/Command.MachSpeed", 10.0),
        TagWrite("press_1/Command.MachSpeed", 10.0),
    )
    assert proposal.speeds == {"press": 1.05}
    assert [entry.kind for entry in history.entries] == ["proposed", "checked", "predicted"]
    assert history.prediction.effects[0].after == 600.0


def test_proposal_and_prediction_come_back_from_the_record(desk, anna):
    history = desk.propose({"press.speed": 1.05}, reason="oven waits", by=anna)
    assert Proposal.from_data(history.proposal.data) == history.proposal
    assert type(history.prediction).from_data(history.prediction.data) == history.prediction


def test_whole_numbers_stay_whole(factory, book):
    for machine in ("press_1", "press_2"):
        book.values[f"{machine}/Status.MachSpeed"] = 10
    changes = {"press.speed": 1.1}
    plan = plan_writes(factory, with_changes(factory, changes), changes, None, book)
    assert [type(write.value) for write in plan.writes] == [int, int]
    changes = {"press.speed": 1.05}
    plan = plan_writes(factory, with_changes(factory, changes), changes, None, book)
    assert [write.value for write in plan.writes] == [pytest.approx(10.5)] * 2


def test_command_that_was_never_given_is_no_way_back(desk, anna, book):
    for machine in ("press_1", "press_2"):
        del book.values[f"{machine}/Status.MachSpeed"]
    history = desk.propose({"press.speed": "1.05"}, reason="oven waits", by=anna)
    assert history.status is Status.NOT_ALLOWED
    assert "nothing could be rolled back" in texts(history)
    assert history.prediction is None


def test_plant_that_runs_otherwise_than_the_model_is_remarked(desk, anna, book):
    book.values["press_1/Status.MachSpeed"] = 9.0
    history = desk.propose({"press.speed": "1.05"}, reason="oven waits", by=anna)
    assert "says 0.9 where the model has 1" in texts(history)
    assert history.status is Status.PROPOSED


def test_buffer_is_for_hands(desk, anna):
    history = desk.propose({"oven.buffer.capacity": "8"}, reason="oven waits", by=anna)
    assert history.proposal.writes == ()
    assert history.proposal.by_hand == ("oven.buffer.capacity = 8",)


def test_speed_without_all_its_tags_is_for_hands(desk, anna, book):
    del book.values["press_2/Command.MachSpeed"]
    history = desk.propose({"press.speed": "1.05"}, reason="oven waits", by=anna)
    assert history.proposal.by_hand == ("press.speed = 1.05",)
    assert history.proposal.writes == ()


def test_format_goes_to_every_machine_that_takes_it(desk, anna, book):
    del book.values["oven/Command.Format"]
    history = desk.propose({}, product_format="B", reason="order 7", by=anna)
    assert history.proposal.writes == (
        TagWrite("press_1/Command.Format", "B"),
        TagWrite("press_2/Command.Format", "B"),
    )
    assert {write.value for write in history.proposal.rollback} == {"A"}
    assert history.proposal.what == "format=B"


def test_unknown_format_is_not_allowed(desk, anna):
    history = desk.propose({}, product_format="C", reason="order 7", by=anna)
    assert history.status is Status.NOT_ALLOWED
    assert "C; must be one of A, B" in texts(history)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"pres.speed": "1.05"}, "did you mean"),
        ({"press.speed": "-1"}, "-1"),
        ({"press.speed": "fast"}, "fast"),
        ({"press.speed": "1.0"}, "it changes nothing"),
        ({"oven.next": "nowhere"}, "nowhere"),
    ],
)
def test_change_that_no_factory_can_have_is_not_allowed(desk, anna, changes, found):
    history = desk.propose(changes, reason="a try", by=anna)
    assert history.status is Status.NOT_ALLOWED
    assert found in texts(history)
    assert history.proposal.writes == ()


def test_limits_of_the_machine_are_asked(new_desk, anna):
    desk = new_desk(book=None)
    desk.factory = load("equipment-46")
    too_fast = {"winding.settings.v": "9 m/s"}
    history = desk.propose(too_fast, reason="faster", by=anna)
    assert history.status is Status.NOT_ALLOWED
    kinds = {check["kind"] for check in history.checks if not check["is_allowed"]}
    assert "range" in kinds
    history = desk.propose({"winding.settings.vf": "0.36 m/s"}, reason="faster", by=anna)
    assert history.status is Status.PROPOSED, texts(history)
    assert texts(history).count("within the limits, interlocks and window") == 3


def test_setting_is_written_in_the_unit_of_its_tag(book):
    factory = load("equipment-46")
    for k in range(6):
        book.values[f"winding_{k + 1}/Command.Setting.vf"] = 350.0
    book.tag_for_all = book.tag_for
    book.tag_for = lambda *about: (tag[0], 1e-3) if (tag := book.tag_for_all(*about)) else None
    changes = {"winding.settings.vf": "0.36 m/s"}
    plan = plan_writes(factory, with_changes(factory, changes), changes, None, book)
    assert len(plan.writes) == 6
    assert plan.writes[0].tag == "winding_1/Command.Setting.vf"
    assert plan.writes[0].value == pytest.approx(360.0)
    assert plan.rollback[0] == TagWrite("winding_6/Command.Setting.vf", 350.0)


def test_unknown_setting_is_not_allowed(new_desk, anna):
    desk = new_desk(book=None)
    desk.factory = load("equipment-46")
    history = desk.propose({"winding.settings.vx": "1 m/s"}, reason="faster", by=anna)
    assert history.status is Status.NOT_ALLOWED
    assert "vx" in texts(history)


def test_station_to_watch_must_be_there(desk, anna):
    guard = Guard(stations=("kiln",))
    history = desk.propose({"press.speed": "1.05"}, reason="x", by=anna, guard=guard)
    assert history.status is Status.NOT_ALLOWED
    assert "no station kiln to watch" in texts(history)


def test_who_has_no_right_to_propose_is_refused_and_it_is_recorded(desk, boris):
    with pytest.raises(RefusedError, match="boris has no right to propose"):
        desk.propose({"press.speed": "1.05"}, reason="oven waits", by=boris)
    entry = desk.record.entries()[-1]
    assert (entry.kind, entry.actor) == ("refused", "boris")
    assert entry.data["change"] == "press.speed=1.05"
    assert desk.changes() == {}


def test_proposed_speed_must_be_one_that_the_person_may(desk, add):
    carol = add("carol", "propose", largest_speed=1.02)
    with pytest.raises(RefusedError, match=r"up to 1\.02 only, not 1\.05 for press"):
        desk.propose({"press.speed": "1.05"}, reason="oven waits", by=carol)


@pytest.mark.parametrize(
    ("values", "reason", "message"),
    [({"press.speed": 2}, " ", "no reason"), ({}, "why", "nothing to change")],
)
def test_proposal_needs_a_change_and_a_reason(desk, anna, values, reason, message):
    with pytest.raises(ChangeError, match=message):
        desk.propose(values, reason=reason, by=anna)


@pytest.mark.parametrize(
    "wrong",
    [{"watch": 0}, {"looks": 0}, {"looks": 49}, {"error": 0}, {"settle": -1}, {"patience": 0}],
)
def test_guard_must_be_possible(wrong):
    with pytest.raises(ChangeError, match=r"guard .*must be"):
        Guard(**wrong)


def test_values_are_the_same_up_to_single_precision():
    assert is_same(10.5, 10.5)
    assert is_same(0.1, 0.10000000149011612)
    assert is_same(3, 3.0)
    assert not is_same(10.5, 10.6)
    assert not is_same(one=True, other=1)
    assert not is_same(None, 0.0)
    assert is_same("A", "A")
