"""A change is applied once, watched, and kept or rolled back, whenever the process is killed."""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gigatwin.errors import ConnectorError
from gigatwin.telemetry import Quality, Quantity, TagWrite
from gigatwin.telemetry.observations import Observation
from gigatwin.twin.changes import ChangeRecord, Guard, Kind, RefusedError, Status
from gigatwin.twin.changes.errors import ChangeError

SPEED = {"press.speed": "1.05"}
START = 1000.0
SOURCE = Path(__file__).parents[4] / "src"


def apply(desk, change, plant, **options):
    return asyncio.run(desk.apply(change, plant, **{"plant_time": START, **options}))


def settle(desk, plant, values=None):
    async def read_back(tags):
        return {tag: values[tag] for tag in tags if tag in values}

    return asyncio.run(desk.settle(plant, None if values is None else read_back))


def kinds(desk, change):
    return [entry.kind for entry in desk.find(change).entries][4:]


def without_last_entry(desk):
    """Make a record what it was before its last entry."""
    path = desk.record.path
    lines = path.read_bytes().splitlines(keepends=True)
    path.with_suffix(".head").unlink()
    path.write_bytes(b"".join(lines[:-1]))
    with ChangeRecord(path).writing():
        pass


class Line:
    """Counters of both presses, at a rate and a scrap ratio that are known exactly."""

    def __init__(self, rate=600.0, scrap=0.02, step=10.0, offset=5000):
        self.good_per_second = rate / 3600
        self.scrap, self.step, self.offset = scrap, step, offset

    def between(self, begin, end):
        """Yield observations from one time after START to another."""
        n = round((end - begin) / self.step)
        for k in range(n + 1):
            time = begin + k * self.step
            good = self.good_per_second * time
            every = good / (1 - self.scrap)
            for machine in ("press#1", "press#2"):
                about = (machine, START + time, every / 2 + self.offset)
                yield Observation(machine, Quantity.PROCESSED, "", about[2], about[1])
                bad = (every - good) / 2 + 7
                yield Observation(machine, Quantity.DEFECTIVE, "", bad, START + time)


def test_change_that_does_as_predicted_is_kept(desk, approved, plant):
    apply(desk, approved, plant)
    looks = desk.observe(Line().between(0, 7600))
    assert [look.number for look in looks] == list(range(13))
    history = desk.find(approved)
    assert history.status is Status.KEPT
    assert "as predicted over 2 h" in history.outcome
    assert kinds(desk, approved) == ["applying", "applied"] + ["observed"] * 13 + ["kept"]
    assert settle(desk, plant) == []
    assert len(plant.instructions) == 1


def test_counts_are_those_since_the_line_had_settled(desk, approved, plant):
    apply(desk, approved, plant)
    looks = desk.observe(Line().between(0, 7600))
    assert looks[0].plant_time == START + 300
    good, scrap = looks[1].judgements
    assert good.observed == pytest.approx(600 / 6, abs=2)
    assert good.expected == pytest.approx(100)
    assert scrap.observed == pytest.approx(0.02, abs=0.005)


def test_change_that_makes_less_is_rolled_back_to_the_old_values(desk, approved, plant, caplog):
    apply(desk, approved, plant)
    looks = desk.observe(Line(rate=540).between(0, 7600))
    assert desk.find(approved).status is Status.ROLLING_BACK
    assert "good items of press" in desk.find(approved).outcome
    assert looks[-1].outside
    (moved,) = settle(desk, plant)
    assert moved.status is Status.ROLLED_BACK
    assert plant.identities == [approved, f"{approved}/rollback"]
    assert plant.instructions[1].writes == moved.proposal.rollback
    assert plant.values == {f"press_{k}/Command.MachSpeed": 10.0 for k in (1, 2)}
    assert "is rolled back: outside the prediction" in caplog.text
    assert settle(desk, plant) == []


def test_change_that_makes_scrap_is_rolled_back(desk, approved, plant):
    apply(desk, approved, plant)
    desk.observe(Line(scrap=0.08).between(0, 7600))
    settle(desk, plant)
    history = desk.find(approved)
    assert history.status is Status.ROLLED_BACK
    assert "scrap ratio of press" in history.outcome


def test_more_than_predicted_is_a_reason_only_where_it_was_said(desk, anna, boris, plant):
    for is_two_sided, status in ((False, Status.KEPT), (True, Status.ROLLING_BACK)):
        guard = Guard(is_two_sided=is_two_sided)
        values = {"press.speed": 1.05 + is_two_sided / 100}
        change = desk.propose(values, reason="x", by=anna, guard=guard).change
        desk.approve(change, boris)
        apply(desk, change, plant)
        desk.observe(Line(rate=660).between(0, 7600))
        assert desk.find(change).status is status


def test_next_process_goes_on_from_the_last_look(new_desk, approved, plant):
    apply(new_desk(), approved, plant)
    line, at_once = Line(), []
    for begin in range(0, 7600, 400):
        at_once += new_desk().observe(line.between(begin, begin + 390))
    history = new_desk().find(approved)
    assert history.status is Status.KEPT
    last = history.last(Kind.OBSERVED).data
    assert last["judgements"][0]["observed"] == pytest.approx(1200, rel=0.01)


def test_two_processes_that_watch_decide_once(new_desk, approved, plant):
    apply(new_desk(), approved, plant)
    one, other = new_desk(), new_desk()
    for begin in range(0, 7600, 400):
        seen = list(Line(rate=540).between(begin, begin + 390))
        one.observe(seen)
        other.observe(seen)
    numbers = [
        entry.data["look"] for entry in one.find(approved).entries if entry.kind == "observed"
    ]
    assert numbers == sorted(set(numbers))
    assert one.find(approved).count(Kind.ROLLING_BACK) == 1


@pytest.mark.parametrize(("rate", "status"), [(600.0, Status.KEPT), (500.0, Status.ROLLING_BACK)])
def test_look_whose_process_died_before_it_decided_is_decided(
    new_desk, approved, plant, rate, status
):
    apply(new_desk(), approved, plant)
    new_desk().observe(Line(rate=rate).between(0, 7600))
    # As if it had died between the last look and its decision.
    assert new_desk().record.entries()[-1].kind in {"kept", "rolling_back"}
    without_last_entry(new_desk())
    assert new_desk().find(approved).status is Status.WATCHED
    assert new_desk().observe(Line(rate=rate).between(7610, 7700)) == []
    assert new_desk().find(approved).status is status


def test_counter_that_was_set_to_0_goes_on_counting(desk, approved, plant):
    apply(desk, approved, plant)
    desk.observe(Line().between(0, 3000))
    # Restarted at 0: what it says now is what it counted since.
    offset = -Line().good_per_second * 3000 / (1 - 0.02) / 2
    looks = desk.observe(Line(offset=offset).between(3010, 7600))
    assert looks[-1].judgements[0].observed == pytest.approx(1200, rel=0.01)
    assert desk.find(approved).status is Status.KEPT


def test_late_values_count_nothing_twice(desk, approved, plant):
    apply(desk, approved, plant)
    seen = list(Line().between(0, 7600))
    late = [*seen[:400], *seen[300:350], *seen[400:]]
    desk.observe(late)
    last = desk.find(approved).last(Kind.OBSERVED).data
    assert last["judgements"][0]["observed"] == pytest.approx(1200, rel=0.01)


def test_silence_is_not_taken_for_a_loss(desk, approved, plant):
    apply(desk, approved, plant)
    seen = [each for each in Line().between(0, 7700) if not 2000 < each.time - START < 5000]
    looks = desk.observe(seen)
    assert [look.number for look in looks] == [0, 1, 2, 7, 8, 9, 10, 11, 12]
    late = looks[3].judgements[0]
    assert late.observed == pytest.approx(late.expected, rel=0.02)
    assert desk.find(approved).status is Status.KEPT


def test_bad_values_are_no_observations(desk, approved, plant):
    apply(desk, approved, plant)
    bad = [each._replace(quality=Quality.BAD) for each in Line().between(0, 7600)]
    assert desk.observe(bad) == []


def test_change_that_cannot_be_watched_is_rolled_back_in_the_end(desk, approved, plant, clock):
    apply(desk, approved, plant)
    desk.observe(Observation("oven", Quantity.LEVEL, "", 3, START + t) for t in range(0, 8000, 10))
    clock.now += 86_400 - 1
    settle(desk, plant)
    assert desk.find(approved).status is Status.WATCHED
    clock.now += 2
    settle(desk, plant)
    history = desk.find(approved)
    assert history.status is Status.ROLLED_BACK
    assert "no counter of items was heard of press#1, press#2" in history.outcome


def test_rollback_that_fails_is_recorded_loud_and_tried_again(desk, approved, plant, clock, caplog):
    apply(desk, approved, plant)
    desk.observe(Line(rate=500).between(0, 7600))
    plant.refuses = "interlock"
    (moved,) = settle(desk, plant)
    assert moved.status is Status.ROLLBACK_FAILED
    assert "could not be written: interlock" in moved.outcome
    assert any(entry.levelno == logging.CRITICAL for entry in caplog.records)
    settle(desk, plant)
    assert len(plant.instructions) == 2, "not again at once"
    clock.now += 10
    plant.refuses = ""
    (moved,) = settle(desk, plant)
    assert moved.status is Status.ROLLED_BACK
    assert plant.identities[1:] == [f"{approved}/rollback", f"{approved}/rollback/2"]


def test_rollback_needs_no_approval_that_still_holds(desk, approved, plant, clock):
    apply(desk, approved, plant)
    clock.now += 9 * 3600
    desk.observe(Line(rate=500).between(0, 7600))
    (moved,) = settle(desk, plant)
    assert moved.status is Status.ROLLED_BACK
    assert plant.instructions[-1].expires > clock.now


def test_change_that_the_plant_does_not_accept_is_rolled_back(desk, approved, plant):
    plant.refuses = "press_2/Command.MachSpeed: access denied"
    assert apply(desk, approved, plant).status is Status.ROLLING_BACK
    plant.refuses = ""
    (moved,) = settle(desk, plant)
    assert moved.status is Status.ROLLED_BACK
    assert "access denied" in moved.outcome


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ((10.5, 10.5), Status.WATCHED),
        ((10.0, 10.0), Status.APPROVED),
        ((10.5, 10.0), Status.ROLLED_BACK),
        ((10.5, None), Status.ROLLED_BACK),
        (None, Status.ROLLED_BACK),
    ],
)
def test_instruction_without_outcome_is_read_back(new_desk, approved, plant, found, status):
    plant.error = ConnectorError("the line is cut")
    assert apply(new_desk(), approved, plant).status is Status.APPLYING
    assert new_desk().find(approved).entries[-1].data["text"] == "the line is cut"
    plant.error = None
    plant.instructions.clear()
    tags = ("press_1/Command.MachSpeed", "press_2/Command.MachSpeed")
    known = found and {tag: x for tag, x in zip(tags, found, strict=True) if x is not None}
    settle(new_desk(), plant, known)
    assert new_desk().find(approved).status is status
    is_written = status is Status.ROLLED_BACK
    assert plant.identities == [f"{approved}/rollback"] * is_written


def test_what_was_not_applied_is_sent_again_under_another_identity(desk, approved, plant):
    plant.error = ConnectorError("the line is cut")
    apply(desk, approved, plant)
    plant.error = None
    settle(desk, plant, {f"press_{k}/Command.MachSpeed": 10.0 for k in (1, 2)})
    apply(desk, approved, plant)
    assert plant.identities == [approved, f"{approved}/2"]
    assert desk.find(approved).status is Status.WATCHED


def test_found_by_reading_back_is_watched_from_its_own_time(new_desk, approved, plant):
    plant.error = ConnectorError("no answer")
    apply(new_desk(), approved, plant)
    plant.error = None
    settle(new_desk(), plant, {f"press_{k}/Command.MachSpeed": 10.5 for k in (1, 2)})
    looks = new_desk().observe(Line().between(0, 1000))
    assert looks[0].plant_time == START + 300


def test_nothing_is_resolved_while_somebody_sends(desk, approved, plant):
    desk.record.append(Kind.APPLYING, change=approved, data={"identity": approved, "writes": {}})
    with desk.record.sending() as is_held:
        assert is_held
        assert settle(desk, plant) == []
        assert desk.find(approved).status is Status.APPLYING
    settle(desk, plant)
    assert desk.find(approved).status is Status.ROLLED_BACK


KILLED = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from gigatwin.telemetry import Receipt
from gigatwin.twin.changes import ChangeDesk

class Deadly:
    async def send(self, instruction):
        Path(sys.argv[4]).write_text(instruction.identity)
        os.kill(os.getpid(), 9)

desk = ChangeDesk(Path(sys.argv[2]), clock=lambda: float(sys.argv[5]))
asyncio.run(desk.apply(sys.argv[3], Deadly()))
"""


def test_process_killed_while_it_sends_leaves_a_change_that_is_resolved(
    desk, new_desk, approved, plant, tmp_path
):
    sent, now = tmp_path / "sent", str(desk.clock())
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(SOURCE), str(desk.store), approved, str(sent), now],
        env=os.environ,
        check=False,
    )
    assert process.returncode == -9
    assert sent.read_text(encoding="utf-8") == approved
    assert new_desk().find(approved).status is Status.APPLYING
    with pytest.raises(RefusedError, match="it is applying"):
        apply(new_desk(), approved, plant)
    settle(new_desk(), plant, {f"press_{k}/Command.MachSpeed": 10.5 for k in (1, 2)})
    assert new_desk().find(approved).status is Status.WATCHED
    assert plant.instructions == [], "it is not sent twice"


def test_no_answer_is_not_waited_for_for_ever(desk, approved, plant, monkeypatch):
    async def never(instruction):
        plant.instructions.append(instruction)
        await asyncio.Event().wait()

    plant.send = never
    monkeypatch.setattr("gigatwin.twin.changes.carrying_out._SEND_TIMEOUT", 0.01)
    assert apply(desk, approved, plant).status is Status.APPLYING
    assert "no answer" in desk.find(approved).entries[-1].data["text"]


# By hand


@pytest.fixture
def by_hand(desk, anna, boris):
    change = desk.propose({"oven.buffer.capacity": "8"}, reason="oven waits", by=anna).change
    return desk.approve(change, boris).change


def test_change_by_hand_is_confirmed_and_watched(desk, by_hand, anna, plant):
    with pytest.raises(RefusedError, match="confirm that it was carried out by hand"):
        apply(desk, by_hand, plant)
    history = desk.confirm(by_hand, anna, "two racks", plant_time=START)
    assert history.status is Status.WATCHED
    assert history.last(Kind.CONFIRMED).data["reason"] == "two racks"
    assert plant.instructions == []


def test_change_by_hand_is_undone_by_hand(desk, by_hand, anna, boris, plant):
    desk.confirm(by_hand, anna)
    desk.roll_back(by_hand, boris, "racks are in the way")
    (moved,) = settle(desk, plant)
    assert moved.status is Status.UNDO_BY_HAND
    assert desk.confirm(by_hand, anna).status is Status.ROLLED_BACK
    assert plant.instructions == []


def test_by_hand_before_tags(desk, anna, boris, plant):
    values = {"oven.buffer.capacity": "8", **SPEED}
    guard = Guard(stations=("press",))
    change = desk.propose(values, reason="oven waits", by=anna, guard=guard).change
    with pytest.raises(RefusedError, match="it is proposed"):
        desk.confirm(change, anna)
    desk.approve(change, boris)
    with pytest.raises(RefusedError, match=r"first to be carried out by hand.*oven\.buffer"):
        apply(desk, change, plant)
    assert desk.confirm(change, anna).status is Status.APPROVED
    with pytest.raises(RefusedError, match="nothing is to be done by hand"):
        desk.confirm(change, anna)
    assert apply(desk, change, plant).status is Status.WATCHED
    desk.observe(Line(rate=500).between(0, 7600))
    settle(desk, plant)
    assert desk.find(change).status is Status.UNDO_BY_HAND
    assert plant.values == {f"press_{k}/Command.MachSpeed": 10.0 for k in (1, 2)}


def test_confirmation_whose_process_died_is_given_again(desk, by_hand, anna):
    desk.confirm(by_hand, anna)
    without_last_entry(desk)
    assert desk.find(by_hand).status is Status.APPROVED
    assert desk.confirm(by_hand, anna).status is Status.WATCHED


def test_only_people_confirm(desk, by_hand, add):
    with pytest.raises(RefusedError, match="no right to approve"):
        desk.confirm(by_hand, add("dora"))


# By decision of a person


def test_person_may_roll_back_what_was_kept(desk, approved, anna, boris, plant):
    apply(desk, approved, plant)
    desk.observe(Line().between(0, 7600))
    with pytest.raises(RefusedError, match="no right to approve"):
        desk.roll_back(approved, anna, "noise")
    desk.roll_back(approved, boris, "noise")
    settle(desk, plant)
    assert desk.find(approved).status is Status.ROLLED_BACK
    with pytest.raises(RefusedError, match="it is rolled back"):
        desk.roll_back(approved, boris, "again")


def test_old_values_are_not_written_over_a_later_change(desk, approved, anna, boris, plant):
    apply(desk, approved, plant)
    desk.observe(Line().between(0, 7600))
    later = desk.propose({"press.speed": "1.07"}, reason="more", by=anna).change
    desk.approve(later, boris)
    apply(desk, later, plant)
    with pytest.raises(RefusedError, match="one change at a time"):
        desk.roll_back(approved, boris, "noise")
    desk.observe(Line().between(0, 7600))
    with pytest.raises(RefusedError, match="changed the same tags after it"):
        desk.roll_back(approved, boris, "noise")


def test_watch_needs_the_factory(new_desk, approved, plant):
    apply(new_desk(), approved, plant)
    desk = new_desk()
    desk.factory = None
    with pytest.raises(ChangeError, match="needs the factory"):
        desk.observe(Line().between(0, 100))


def test_desk_without_changes_does_nothing(desk, plant):
    assert desk.observe(Line().between(0, 100)) == []
    assert settle(desk, plant) == []
    assert desk.changes() == {}
    assert desk.verify()[0].is_whole
    assert ChangeRecord(desk.record.path).version is None


def test_writes_are_in_the_order_of_the_proposal(desk, approved, plant):
    apply(desk, approved, plant)
    assert plant.instructions[0].writes[0] == TagWrite("press_1/Command.MachSpeed", 10.5)
