"""A change on the command line: proposed, approved, applied, shown, verified."""

import json
import sys
import types

import pytest
from typer.testing import CliRunner

from gigatwin.cli.change.registration import (
    CHANGES_EXAMPLES,
    EXAMPLES,
    PEOPLE_EXAMPLES,
    changes,
    people,
)
from gigatwin.cli.main import app
from gigatwin.telemetry import Receipt

LINE = """
name: line
stations:
  press: {kind: discrete, time: 10 s}
  oven: {kind: discrete, time: 6 s, buffer: {capacity: 5}}
"""
MAPPING = """
source: opc.tcp://127.0.0.1
confirmed_by: anna
tags:
  press/Status.MachSpeed: {element: press, quantity: speed_set_point, factor: 0.1}
  press/Command.MachSpeed: {element: press, quantity: speed_command, factor: 0.1}
"""
QUICK = ("--days", "0.5", "--replications", "4")


@pytest.fixture
def call(folder, monkeypatch):
    """Return a function that calls a command in an empty folder with a store."""
    (folder / "twin").mkdir(exist_ok=True)
    (folder / "line.yaml").write_text(LINE, encoding="utf-8")
    monkeypatch.setenv("GIGATWIN_KEYS", str(folder / "keys"))

    def calling(*arguments, code=0, store="twin"):
        given = [str(each) for each in arguments]
        if store:
            given += ["--store", store]
        result = CliRunner().invoke(app, given)
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result

    return calling


@pytest.fixture
def two(call):
    call("people", "add", "anna", "--right", "propose")
    call("people", "add", "boris", "--right", "approve")
    return call


class Plant:
    def __init__(self):
        self.instructions = []
        self.answers = []
        self.urls = []

    def open_sink(self, url, *, is_writable):
        assert is_writable
        self.urls.append(url)
        return self

    async def open(self):
        pass

    async def close(self):
        pass

    async def send(self, instruction):
        self.instructions.append(instruction)
        text = self.answers.pop(0) if self.answers else ""
        return Receipt(instruction.identity, is_done=not text, text=text)


@pytest.fixture
def plant(monkeypatch):
    """Return a plant behind any URL."""
    found = Plant()
    module = types.ModuleType("gigatwin.app.connections")
    module.open_sink = found.open_sink
    monkeypatch.setitem(sys.modules, "gigatwin.app.connections", module)
    return found


@pytest.fixture
def with_tags(folder):
    """Give the store a confirmed mapping and readings of the plant."""
    from gigatwin.app.historians import open_historian  # noqa: PLC0415 - after the marks
    from gigatwin.telemetry import Reading  # noqa: PLC0415 - asyncua is optional

    (folder / "twin").mkdir(exist_ok=True)
    (folder / "twin" / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    kept = open_historian(str(folder / "twin" / "historian"))
    kept.append([Reading("press/Status.MachSpeed", 10.0, 1_800_000_000.0)])
    kept.close()


def propose(call, *more, code=0, by="anna"):
    speed = ("--set", "press.speed=1.05", "--reason", "oven waits")
    return call("propose", "line.yaml", *speed, "--by", by, *QUICK, *more, code=code)


@pytest.mark.compiled
@pytest.mark.usefixtures("with_tags")
def test_change_goes_its_whole_way(two, plant):
    text = propose(two).stdout
    for shown in (
        "press.speed=1.05, proposed",
        "proposed by anna: oven waits",
        "the factory can work like this",
        "throughput rate",
        "better",
        "press/Command.MachSpeed",
        "10.5",
        "Watched for 2 h at 12 looks",
        "next: gigatwin approve c1 --store twin --by NAME",
    ):
        assert shown in text
    text = two("approve", "c1", "--by", "boris", "--hours", "2").stdout
    assert "approved by boris for 2 h" in text
    assert "next: gigatwin apply c1 --store twin --sink URL" in text
    text = two("apply", "c1", "--sink", "opc.tcp://127.0.0.1", "--by", "anna").stdout
    assert "is watched" in text
    (instruction,) = plant.instructions
    assert instruction.writes[0].value == pytest.approx(10.5)
    assert instruction.approved_by == "boris"
    assert plant.urls == ["opc.tcp://127.0.0.1"]
    shown = json.loads(two("changes", "show", "c1", "--json").stdout)
    assert shown["status"] == "watched"
    assert [entry["kind"] for entry in shown["entries"]][-2:] == ["applying", "applied"]
    # The plant's clock came from its readings.
    assert shown["entries"][-1]["data"]["plant_time"] == 1_800_000_000.0
    refused = two("apply", "c1", "--sink", "opc.tcp://127.0.0.1", code=1).stderr
    assert "refused, it is watched" in refused
    assert len(plant.instructions) == 1


@pytest.mark.compiled
@pytest.mark.usefixtures("with_tags")
def test_what_the_plant_does_not_accept_is_rolled_back_at_once(two, plant):
    propose(two)
    two("approve", "c1", "--by", "boris")
    plant.answers = ["press/Command.MachSpeed: access denied"]
    text = two("apply", "c1", "--sink", "opc.tcp://127.0.0.1", code=1).stdout
    assert "is rolled back" in text
    assert "access denied" in text
    assert [write.value for each in plant.instructions for write in each.writes] == [10.5, 10.0]


@pytest.mark.compiled
def test_change_without_tags_is_confirmed_by_hand(two):
    text = propose(two).stdout
    assert "By hand, as no tag is known for it: press.speed = 1.05" in text
    text = two("approve", "c1", "--by", "boris").stdout
    assert "--by-hand" in text
    text = two("apply", "c1", "--by-hand", "--by", "anna", "--note", "at the panel").stdout
    assert "at the panel" in text
    assert "is watched" in text


@pytest.mark.compiled
def test_kept_change_is_rolled_back_by_a_person(two, plant):
    propose(two)
    two("approve", "c1", "--by", "boris")
    two("apply", "c1", "--by-hand", "--by", "anna")
    back = ("changes", "rollback", "c1", "--reason", "noise")
    assert "no right to approve" in two(*back, "--by", "anna", code=1).stderr
    text = two(*back, "--by", "boris", "--sink", "mqtt://127.0.0.1").stdout
    assert "is undo by hand. noise" in text
    assert plant.instructions == []
    assert "is rolled back" in two("apply", "c1", "--by-hand", "--by", "anna").stdout


def test_change_that_is_not_allowed_ends_with_1(two):
    text = two(
        "propose", "line.yaml", "--set", "press.speed=-1", "--reason", "x", "--by", "anna", code=1
    ).stdout
    assert "AGAINST IT" in text
    assert "not allowed" in text
    assert "next:" not in text


@pytest.mark.compiled
def test_refusals_end_with_1_and_stand_in_the_record(two):
    assert "boris has no right to propose" in propose(two, by="boris", code=1).stderr
    propose(two)
    assert "it is not approved" in two("apply", "c1", "--sink", "x://", code=1).stderr
    assert "no right to approve" in two("approve", "c1", "--by", "anna", code=1).stderr
    shown = json.loads(two("changes", "show", "c1", "--json").stdout)
    refused = [entry for entry in shown["entries"] if entry["kind"] == "refused"]
    assert [entry["data"]["what"] for entry in refused] == ["apply", "approve"]


@pytest.mark.compiled
def test_changes_are_listed_and_searched(two):
    propose(two)
    two("approve", "c1", "--by", "boris", "--decline", "not at night")
    propose(two)
    text = two("changes", "list").stdout
    for shown in ("declined", "not at night", "oven waits", "press.speed=1.05"):
        assert shown in text
    found = json.loads(two("changes", "list", "--outcome", "declined", "--json").stdout)
    assert [each["status"] for each in found] == ["declined"]
    assert json.loads(two("changes", "list", "--text", "xyz", "--json").stdout) == []


@pytest.mark.compiled
def test_changed_record_is_found(two, folder):
    propose(two)
    text = two("changes", "verify").stdout
    assert "5 entries: as it was written, signatures hold; head 5:" in text
    head = text.split("head ")[1].strip()
    assert two("changes", "verify", "--head", head)
    path = folder / "twin" / "changes" / "record.jsonl"
    path.write_bytes(path.read_bytes().replace(b"oven waits", b"oven burns"))
    text = two("changes", "verify", code=1).stdout
    assert text.startswith("entry 3: it was changed")
    found = json.loads(two("changes", "verify", "--json", code=1).stdout)
    assert found["is_whole"] is False
    assert found["flaws"][0]["entry"] == 3
    other = f"5:{'0' * 64}"
    assert "as written down" in two("changes", "verify", "--head", other, code=1).stdout


def test_people_are_listed_with_their_rights(call, folder):
    call("people", "add", "anna", "--right", "people", "--right", "approve", "--allow-own")
    add = ("people", "add", "boris", "--right", "propose", "--station", "press")
    more = ("--largest-speed", "1.1", "--until", "2099-01-01T00:00+00:00")
    assert "one of anna must sign for it" in call(*add, *more, code=1).stderr
    call(*add, *more, "--by", "anna")
    text = call("people", "list").stdout
    assert "approve, own proposals too" in text
    assert "propose for press, speeds up to 1.1" in text
    call("people", "end", "boris", "--by", "anna")
    path = folder / "twin" / "people.yaml"
    path.write_text(path.read_text().replace("may_approve_own: true", "may_approve_own: false"))
    assert "NO: has no rights" in call("people", "list").stdout
    found = json.loads(call("people", "list", "--json").stdout)
    assert {name: each["is_recorded"] for name, each in found.items()} == {
        "anna": False,
        "boris": True,
    }


def test_key_of_another_machine_is_added_by_its_public_part(call, folder):
    made = call("people", "key", "boris", store="")
    public = made.stdout.strip()
    (folder / "keys" / "boris.pem").unlink()
    call("people", "add", "boris", "--right", "approve", "--public-key", public)
    assert json.loads(call("people", "list", "--json").stdout)["boris"]["public_key"] == public
    assert not (folder / "keys" / "boris.pem").exists()
    missing = call("approve", "c1", "--by", "boris", code=2).stderr
    assert "no private key of boris on this machine" in missing


def test_passphrase_comes_from_the_environment_where_nobody_can_be_asked(call, monkeypatch):
    add = ("people", "add", "anna", "--right", "propose", "--passphrase")
    assert "nobody to ask" in call(*add, code=2).stderr
    monkeypatch.setenv("GIGATWIN_PASSPHRASE", "open sesame")
    call(*add)
    monkeypatch.setenv("GIGATWIN_PASSPHRASE", "open barley")
    assert "passphrase is wrong" in propose(call, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("people", "add", "anna"), "--right: must be one of propose, approve, people"),
        (("people", "add", "anna", "--right", "aprove"), "--right aprove: must be one of"),
        (("people", "add", "../a", "--right", "propose"), "must begin with a letter"),
        (("people", "add", "a", "--right", "propose", "--until", "soon"), "ends 'soon'"),
        (("people", "add", "a", "--right", "propose", "--public-key", "x"), "public_key 'x'"),
        (("people", "end", "anna"), "is not there"),
        (("apply", "c1"), "give one of the two"),
        (("apply", "c1", "--by-hand"), "nobody signs for it"),
        (("changes", "show", "c1"), "must be one of the record (none so far)"),
        (("changes", "verify", "--head", "1"), "must be number:hash"),
        (("propose", "--reason", "x", "--by", "a"), "nothing to change"),
        (("propose", "--set", "a.speed=2", "--reason", "x", "--by", "a"), "no line.yaml in it"),
    ],
)
def test_mistakes_are_named(call, arguments, message):
    assert message in call(*arguments, code=2).stderr


def test_person_who_is_there_is_replaced_on_purpose_only(two):
    again = ("people", "add", "anna", "--right", "approve")
    assert "is there already" in two(*again, code=2).stderr
    two(*again, "--replace")
    assert json.loads(two("people", "list", "--json").stdout)["anna"]["rights"] == ["approve"]


@pytest.mark.parametrize("group", [("changes", "list"), ("people", "list"), ("changes", "verify")])
def test_store_must_be_there(call, group):
    assert "no such folder" in call(*group, store="nowhere", code=2).stderr


@pytest.mark.usefixtures("with_tags")
def test_mapping_that_nobody_confirmed_writes_nothing(two, folder):
    path = folder / "twin" / "mapping.yaml"
    path.write_text(path.read_text().replace("confirmed_by: anna\n", ""), encoding="utf-8")
    assert "nobody has confirmed it" in propose(two, code=2).stderr


def test_missing_library_is_named(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    text = call("people", "add", "anna", "--right", "propose", code=2).stderr
    assert "cryptography is not installed; pip install 'gigatwin[live]'" in text


def test_every_command_has_examples_and_a_group_says_what_it_is():
    for name, examples in (
        ("", EXAMPLES),
        ("changes ", CHANGES_EXAMPLES),
        ("people ", PEOPLE_EXAMPLES),
    ):
        for own, about in examples.items():
            lines = about[1] if name else about
            command = own if name else own.__name__
            assert lines[0].startswith(f"gigatwin {name}{command}")
    assert changes.info.help
    assert people.info.help
