"""Rights are what was given by who may, for the stations, speeds and times that were said."""

import pytest
import yaml

from gigatwin.twin.changes import Person, RefusedError, Right, make_key
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.people import now_text


def reason(desk, name, right=Right.APPROVE, **about):
    return desk.people.reason_against(name, right, desk.clock(), **about)


def test_person_has_the_rights_that_were_given(desk, add):
    add("anna", "propose")
    assert reason(desk, "anna", Right.PROPOSE) == ""
    assert reason(desk, "anna") == "anna has no right to approve"
    assert "not among the people" in reason(desk, "boris")


def test_rights_are_for_stations_and_speeds(desk, add):
    add("anna", "approve", stations=("press",), largest_speed=1.1)
    assert reason(desk, "anna", stations=("press",), speeds={"press": 1.1}) == ""
    assert "for press only, not for oven" in reason(desk, "anna", stations=("press", "oven"))
    assert "up to 1.1 only, not 1.2" in reason(desk, "anna", speeds={"press": 1.2})


def test_rights_begin_and_end(desk, add, clock):
    add("anna", "approve", begins=now_text(clock.now - 10), ends=now_text(clock.now + 10))
    assert reason(desk, "anna") == ""
    clock.now += 20
    assert "hold from" in reason(desk, "anna")
    clock.now -= 40
    assert "hold from" in reason(desk, "anna")


def test_right_written_in_by_hand_does_not_hold(desk, add):
    add("anna", "propose")
    path = desk.people.path
    path.write_text(path.read_text(encoding="utf-8").replace("- propose", "- approve"))
    assert "with other rights than in the record" in reason(desk, "anna")


def test_person_written_in_by_hand_has_no_rights(desk, add):
    add("anna", "propose")
    content = yaml.safe_load(desk.people.path.read_text(encoding="utf-8"))
    content["people"]["eve"] = {**content["people"]["anna"], "rights": ["approve"]}
    desk.people.path.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert "with other rights than in the record" in reason(desk, "eve")


def test_who_has_the_right_to_people_must_sign_for_others(desk, add):
    anna = add("anna", "people")
    boris = make_key("boris")
    person = Person(public_key=boris.public_key, rights=(Right.APPROVE,))
    with pytest.raises(RefusedError, match="one of anna must sign"):
        desk.people.add("boris", person)
    assert desk.record.entries()[-1].kind == "refused"
    with pytest.raises(RefusedError, match="boris is not among the people"):
        desk.people.add("boris", person, by=boris)
    desk.people.add("boris", person, by=anna)
    assert reason(desk, "boris") == ""
    assert desk.verify() == (desk.verify()[0], [])


def test_stolen_name_without_its_key_adds_nobody(desk, add, keys):
    add("anna", "people")
    (keys / "anna.pem").unlink()
    impostor = make_key("anna")
    person = Person(public_key=impostor.public_key, rights=(Right.APPROVE,))
    with pytest.raises(RefusedError, match="the key at hand is not that of anna"):
        desk.people.add("eve", person, by=impostor)


def test_rights_are_changed_and_ended_in_the_same_way(desk, add):
    anna = add("anna", "approve")
    person = desk.people.all()["anna"]
    desk.people.add("anna", person.model_copy(update={"rights": (Right.PROPOSE,)}))
    assert reason(desk, "anna") == "anna has no right to approve"
    assert anna.public_key == desk.people.all()["anna"].public_key
    assert [entry.kind for entry in desk.record.entries()] == ["person", "person"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("people: [anna]", "must have 'people' with names"),
        ("- 1", "must have 'people' with names"),
        ("people: {anna: {rights: [aprove], public_key: KEY}}", r"rights\.0"),
        ("people: {anna: {rights: [approve], public_key: abc}}", "must be a public key"),
        ("people: {anna: {rights: [], public_key: KEY, ends: soon}}", "ends"),
        ("people: {anna: {rights: [], public_key: KEY, ends: '2027-01-01'}}", "with its zone"),
        ("people: {anna: {rights: [], public_key: KEY, boss: yes}}", "boss"),
        ("people: {anna: [", "must be YAML"),
    ],
)
def test_list_that_cannot_be_used_is_one_clear_error(desk, add, text, message):
    key = add("anna", "propose").public_key
    desk.people.path.write_text(text.replace("KEY", key), encoding="utf-8")
    with pytest.raises(ChangeError, match=message):
        desk.people.all()


def test_names_that_yaml_reads_as_something_else_stay_names(desk, add):
    for name in ("no", "1e3", "null", "Ямал"):
        add(name, "propose")
        assert reason(desk, name, Right.PROPOSE) == ""
