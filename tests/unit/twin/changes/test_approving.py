"""Nothing reaches the plant without an approval that holds: every refusal stands in the record."""

import asyncio
import json

import pytest

from gigatwin.errors import ConnectorError
from gigatwin.telemetry import Instruction, TagWrite
from gigatwin.twin.changes import ChangeRecord, GuardedSink, Kind, RefusedError, Status, make_key
from gigatwin.twin.changes.approval import approval_content, signed
from gigatwin.twin.changes.canonical import canonical, digest
from gigatwin.twin.changes.errors import ChangeError

SPEED = {"press.speed": "1.05"}


def apply(desk, change, plant, **options):
    return asyncio.run(desk.apply(change, plant, **options))


def refused(desk, change, plant, match):
    """Check that a change is not applied, that the plant got nothing, and that it is recorded."""
    with pytest.raises(RefusedError, match=match):
        apply(desk, change, plant, by="anna")
    assert plant.instructions == []
    entry = desk.record.entries()[-1]
    assert (entry.kind, entry.change, entry.actor) == ("refused", change, "anna")
    return entry.data["reason"]


def rewrite(desk, edit):
    """Edit the entries and compute the chain and the head anew, as a forger without keys can."""
    path = desk.record.path
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    entries = edit(entries) or entries
    previous, lines = "0" * 64, []
    for number, entry in enumerate(entries, start=1):
        content = {key: value for key, value in entry.items() if key != "hash"}
        content |= {"number": number, "previous": previous}
        previous = digest(content)
        lines.append(canonical({**content, "hash": previous}).encode() + b"\n")
    path.unlink()
    path.with_suffix(".head").unlink()
    path.write_bytes(b"".join(lines))
    with ChangeRecord(path).writing():
        pass


def test_approved_change_is_written_once_with_who_approved_it(desk, approved, plant):
    history = apply(desk, approved, plant)
    assert history.status is Status.WATCHED
    (instruction,) = plant.instructions
    assert instruction.identity == approved
    assert instruction.approved_by == "boris"
    assert instruction.writes == history.proposal.writes
    assert instruction.expires == desk.clock() + 8 * 3600
    with pytest.raises(RefusedError, match="it is watched"):
        apply(desk, approved, plant)
    assert len(plant.instructions) == 1


def test_change_without_approval_is_refused(desk, anna, plant):
    change = desk.propose(SPEED, reason="oven waits", by=anna).change
    assert refused(desk, change, plant, "it is not approved") == "it is not approved"
    assert desk.find(change).status is Status.PROPOSED


def test_expired_approval_is_refused(desk, approved, plant, clock):
    clock.now += 8 * 3600 + 1
    refused(desk, approved, plant, "its approval has expired")
    moved = asyncio.run(desk.settle(plant))
    assert [history.status for history in moved] == [Status.EXPIRED]
    refused(desk, approved, plant, "its approval has expired")


def test_expired_change_can_be_approved_again(desk, approved, boris, plant, clock):
    clock.now += 8 * 3600 + 1
    asyncio.run(desk.settle(plant))
    desk.approve(approved, boris, hours=1)
    assert apply(desk, approved, plant).status is Status.WATCHED


def test_approval_of_another_change_is_refused(desk, approved, anna, plant):
    other = desk.propose({"press.speed": "1.5"}, reason="more", by=anna).change
    stolen = desk.find(approved).approval.data
    desk.record.append(Kind.APPROVED, change=other, actor="boris", data=stolen)
    refused(desk, other, plant, f"its approval is for {approved}")


def test_approval_for_other_values_is_refused(desk, approved, plant):
    def edit(entries):
        for entry in entries:
            if entry["kind"] == "proposed":
                entry["data"]["proposal"]["writes"][0]["value"] = 99.0

    rewrite(desk, edit)
    assert desk.verify()[0].is_whole, "the chain itself was forged well"
    refused(desk, approved, plant, "its approval is for other values or another prediction")


def test_approval_for_another_prediction_is_refused(desk, approved, plant):
    def edit(entries):
        for entry in entries:
            if entry["kind"] == "predicted":
                entry["data"]["effects"][0]["after"] = 1e6

    rewrite(desk, edit)
    refused(desk, approved, plant, "its approval is for other values or another prediction")


def test_prediction_made_after_the_approval_is_refused(desk, approved, plant):
    predicted = desk.find(approved).prediction
    desk.record.append(Kind.PREDICTED, change=approved, data={**predicted.data, "how": "dreamt"})
    refused(desk, approved, plant, "its approval is for other values or another prediction")


@pytest.mark.usefixtures("boris")
def test_forged_approval_is_refused(desk, anna, plant):
    history = desk.propose(SPEED, reason="oven waits", by=anna)
    head = desk.record.entries()[-1].hash
    content = approval_content(history, "boris", head, desk.clock(), 8)
    forged = signed(Kind.APPROVED, content, anna)
    desk.record.append(Kind.APPROVED, change=history.change, actor="boris", data=forged)
    assert desk.find(history.change).status is Status.APPROVED
    refused(desk, history.change, plant, "its approval is forged")
    assert "not that of boris" in str(desk.verify()[1][0])


def test_longer_validity_written_in_is_refused(desk, approved, plant, clock):
    def edit(entries):
        for entry in entries:
            if entry["kind"] == "approved":
                entry["data"]["expires"] += 1e6

    rewrite(desk, edit)
    clock.now += 8 * 3600 + 1
    refused(desk, approved, plant, "its approval is forged")


def test_record_rewritten_before_the_approval_is_refused(desk, anna, boris, plant):
    desk.record.append(Kind.NOTE, actor="anna", data={"text": "the fan is loose"})
    change = desk.propose(SPEED, reason="oven waits", by=anna).change
    desk.approve(change, boris)

    def edit(entries):
        return [entry for entry in entries if entry["kind"] != "note"]

    rewrite(desk, edit)
    assert desk.verify()[0].is_whole
    refused(desk, change, plant, "quotes a head that is not in the record")
    assert "rewritten" in str(desk.verify()[1])


def test_changed_record_is_refused_and_the_entry_is_named(desk, approved, plant):
    path = desk.record.path
    path.write_bytes(path.read_bytes().replace(b"oven waits", b"oven burns"))
    assert desk.verify()[0].first.number == 3
    reason = refused(desk, approved, plant, r"the record was changed \(entry 3")
    assert "begin a new one" in reason


def test_record_without_its_end_is_refused(desk, approved, plant):
    path = desk.record.path
    lines = path.read_bytes().splitlines(keepends=True)
    desk.record.append(Kind.NOTE)
    path.write_bytes(b"".join(lines))
    refused(desk, approved, plant, "the record was changed")


@pytest.mark.usefixtures("boris")
def test_proposal_that_its_proposer_never_made_is_refused(desk, add, anna, plant):
    change = desk.propose(SPEED, reason="oven waits", by=anna).change

    def edit(entries):
        for entry in entries:
            if entry["kind"] == "proposed":
                entry["actor"] = "boris"
                entry["data"]["proposal"]["proposer"] = "boris"

    rewrite(desk, edit)
    carol = add("carol", "approve")
    desk.approve(change, carol)
    refused(desk, change, plant, "its proposal is forged")


def test_who_proposed_it_may_not_approve_it(desk, add, plant):
    both = add("both", "propose", "approve")
    change = desk.propose(SPEED, reason="oven waits", by=both).change
    with pytest.raises(RefusedError, match="another person must approve it"):
        desk.approve(change, both)
    assert desk.record.entries()[-1].data["what"] == "approve"
    refused(desk, change, plant, "it is not approved")


def test_one_person_may_do_both_where_that_was_allowed(desk, add, plant):
    alone = add("alone", "propose", "approve", may_approve_own=True)
    change = desk.propose(SPEED, reason="oven waits", by=alone).change
    assert desk.approve(change, alone).approval.data["is_own"] is True
    assert apply(desk, change, plant).status is Status.WATCHED


def test_who_has_no_right_to_approve_is_refused(desk, add, anna):
    change = desk.propose(SPEED, reason="oven waits", by=anna).change
    for signer, match in (
        (add("dora", "propose"), "no right to approve"),
        (add("emil", "approve", stations=("oven",)), "for oven only, not for press"),
        (add("fred", "approve", largest_speed=1.01), "up to 1.01 only"),
        (make_key("gast"), "not among the people"),
    ):
        with pytest.raises(RefusedError, match=match):
            desk.approve(change, signer)
        assert desk.record.entries()[-1].actor == signer.name
    assert desk.find(change).status is Status.PROPOSED


@pytest.mark.usefixtures("boris")
def test_name_without_its_key_is_refused(desk, anna, keys):
    change = desk.propose(SPEED, reason="oven waits", by=anna).change
    (keys / "boris.pem").unlink()
    with pytest.raises(RefusedError, match="the key at hand is not that of boris"):
        desk.approve(change, make_key("boris"))


def test_right_that_ended_after_the_approval_does_not_hold_any_more(desk, approved, plant):
    boris = desk.people.all()["boris"]
    desk.people.add("boris", boris.model_copy(update={"rights": ()}))
    refused(desk, approved, plant, "boris has no right to approve")


def test_change_that_a_check_speaks_against_is_not_approved(desk, anna, boris):
    change = desk.propose({"press.speed": "-1"}, reason="back", by=anna).change
    with pytest.raises(RefusedError, match="it is not allowed"):
        desk.approve(change, boris)


def test_declined_change_is_not_applied(desk, approved, boris, plant):
    history = desk.decline(approved, boris, "not in this shift")
    assert history.status is Status.DECLINED
    assert history.outcome == "not in this shift"
    refused(desk, approved, plant, "it is declined")
    with pytest.raises(RefusedError, match="it is declined"):
        desk.approve(approved, boris)


def test_who_proposed_it_may_take_it_back(desk, approved, anna, add):
    with pytest.raises(RefusedError, match="no right to approve"):
        desk.decline(approved, add("dora", "propose"), "I would not")
    assert desk.decline(approved, anna, "found a better one").status is Status.DECLINED


def test_one_change_at_a_time(desk, approved, anna, boris, plant):
    other = desk.propose({"oven.speed": "1.02"}, reason="too", by=anna).change
    desk.approve(other, boris)
    apply(desk, approved, plant)
    with pytest.raises(RefusedError, match=f"{approved} is watched; one change at a time"):
        apply(desk, other, plant)


def test_plant_that_was_set_otherwise_meanwhile_is_not_written(desk, approved, plant, book):
    book.values["press_1/Status.MachSpeed"] = 9.5
    refused(desk, approved, plant, "had 10.0 when it was proposed and has 9.5 now")


def test_approval_is_for_hours(desk, anna, boris):
    change = desk.propose(SPEED, reason="oven waits", by=anna).change
    for hours in (0, -1, 1000):
        with pytest.raises(ChangeError, match="must be above 0"):
            desk.approve(change, boris, hours)


def test_unknown_change_is_one_clear_error(desk, approved, plant):
    with pytest.raises(ChangeError, match=f"change 'c9'; must be one of the record \\({approved}"):
        apply(desk, "c9", plant)


# The gate itself, for whoever sends instructions without the desk


def send(desk, plant, **about):
    guarded = GuardedSink(plant, desk.gate, desk.clock)
    given = {
        "identity": "c1",
        "writes": (TagWrite("press_1/Command.MachSpeed", 99.0),),
        "expires": desk.clock() + 60,
        "approved_by": "boris",
    }
    return asyncio.run(guarded.send(Instruction(**{**given, **about})))


def test_instruction_that_no_record_knows_is_refused_and_recorded(desk, plant):
    receipt = send(desk, plant)
    assert not receipt.is_done
    assert "not approved" in receipt.text
    assert plant.instructions == []
    entry = desk.record.entries()[-1]
    assert (entry.kind, entry.actor) == ("refused", "boris")
    assert entry.data["writes"] == {"press_1/Command.MachSpeed": 99.0}


def test_instruction_of_an_approved_change_waits_for_the_desk(desk, approved, plant):
    writes = desk.find(approved).proposal.writes
    assert "nothing is to be written" in send(desk, plant, identity=approved, writes=writes).text
    assert plant.instructions == []


def test_instruction_with_other_values_is_refused(desk, approved, plant):
    desk.record.append(Kind.APPLYING, change=approved)
    assert "for other values" in send(desk, plant, identity=approved).text
    rollback = f"{approved}/rollback"
    assert "nothing is to be rolled back" in send(desk, plant, identity=rollback).text
    desk.record.append(Kind.ROLLING_BACK, change=approved, data={"reason": "x"})
    assert "not the values that the tags had before" in send(desk, plant, identity=rollback).text
    assert plant.instructions == []


def test_instruction_that_expired_is_refused(desk, approved, plant):
    desk.record.append(Kind.APPLYING, change=approved)
    writes = desk.find(approved).proposal.writes
    about = {"identity": approved, "writes": writes, "expires": desk.clock()}
    assert "has expired" in send(desk, plant, **about).text


def test_rollback_of_a_change_that_was_never_approved_is_refused(desk, anna, plant):
    history = desk.propose(SPEED, reason="oven waits", by=anna)
    desk.record.append(Kind.ROLLING_BACK, change=history.change, data={"reason": "x"})
    about = {"identity": f"{history.change}/rollback", "writes": history.proposal.rollback}
    assert "never approved" in send(desk, plant, **about).text


def test_gate_passes_on_the_rest(desk, plant):
    guarded = GuardedSink(plant, desk.gate, desk.clock)
    asyncio.run(guarded.open())
    asyncio.run(guarded.close())
    assert guarded.diagnostics().where == "plant"
    plant.error = ConnectorError("gone")
    assert guarded.has_refused is False
