"""The mapping file: read, written, checked; every mistake has its line."""

import pytest
import yaml

from gigatwin.errors import TelemetryError
from gigatwin.telemetry import (
    Elements,
    Quantity,
    TagMapping,
    TagMeaning,
    TagWrite,
    check,
    confirm_mapping,
    read_mapping,
    write_mapping,
)
from gigatwin.telemetry.mapping import read_mapping_text, text_of

TEXT = """\
source: opc.tcp://127.0.0.1:4840
confirmed_by: Ada Lovelace
tags:
  winding_1/Status.StateCurrent: {element: winding#1, quantity: state}
  winding_1/Command.MachSpeed: {element: winding#1, quantity: speed_command, factor: 0.0833}
  oven/Temp:
    element: drying
    quantity: value
    which: temperature
ignored:
  - winding_1/Status.Tool
"""
ELEMENTS = Elements(machines=("winding#1", "drying"), buffers=("drying", "packing.lid"))


def mapping_of(**tags):
    return TagMapping(source="test", tags={name: TagMeaning(**tag) for name, tag in tags.items()})


def test_file_says_what_each_tag_is(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text(TEXT, encoding="utf-8")
    mapping = read_mapping(path)
    assert mapping.is_confirmed
    assert mapping.tags["winding_1/Command.MachSpeed"].factor == 0.0833
    assert mapping.tags["oven/Temp"].key == ("drying", Quantity.VALUE, "temperature")
    assert mapping.ignored == ("winding_1/Status.Tool",)


def test_what_is_written_is_read_again_and_any_yaml_reader_can_read_it(tmp_path):
    mapping = read_mapping_text(TEXT)
    path = tmp_path / "mapping.yaml"
    write_mapping(mapping, path)
    assert read_mapping(path) == mapping
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert data["tags"]["oven/Temp"] == {
        "element": "drying",
        "quantity": "value",
        "which": "temperature",
    }
    assert [entry.name for entry in tmp_path.iterdir()] == ["mapping.yaml"]


def test_names_that_yaml_would_read_as_something_else_are_quoted():
    names = ("4680", "no", "a: b", "x #1", "ns=2;s=Line 1.Speed", 'say "hi"', "tab\there", "ü\x85")
    mapping = TagMapping(
        source="",
        tags={name: TagMeaning(element=name, quantity=Quantity.STATE) for name in names},
        ignored=("null", "1e3"),
    )
    assert read_mapping_text(text_of(mapping)) == mapping


def test_comments_stand_above_their_tags_and_do_not_count(tmp_path):
    mapping = read_mapping_text(TEXT).with_comments({"oven/Temp": "0.70 similar\nto drying"})
    write_mapping(mapping, tmp_path / "mapping.yaml")
    lines = (tmp_path / "mapping.yaml").read_text(encoding="utf-8").splitlines()
    place = lines.index("  # 0.70 similar to drying")
    assert lines[place + 1].strip().startswith("oven/Temp:")
    assert read_mapping(tmp_path / "mapping.yaml") == mapping


def test_mapping_nobody_has_checked_is_a_proposal():
    assert not mapping_of().is_confirmed
    assert not TagMapping(source="", tags={}, confirmed_by="  ").is_confirmed


@pytest.mark.parametrize("line", ["confirmed_by: Ada Lovelace\n", 'confirmed_by: ""  # who?\n', ""])
def test_confirming_changes_one_line_and_keeps_what_people_wrote(tmp_path, line):
    path = tmp_path / "mapping.yaml"
    text = TEXT.replace("confirmed_by: Ada Lovelace\n", line) + "# my own remark\n"
    path.write_text(text, encoding="utf-8")
    mapping = confirm_mapping(path, " Grace O'Hopper ")
    assert mapping.confirmed_by == "Grace O'Hopper"
    assert read_mapping(path) == mapping
    kept = path.read_text(encoding="utf-8").splitlines()
    assert [row for row in text.splitlines() if "confirmed_by" not in row] == [
        row for row in kept if "confirmed_by" not in row
    ]


def test_confirming_a_mapping_in_braces_works_too(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text("{source: x, confirmed_by: y, tags: {}}", encoding="utf-8")
    assert confirm_mapping(path, "Ada").is_confirmed
    assert read_mapping(path).confirmed_by == "Ada"


def test_nobody_cannot_confirm(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(TelemetryError, match="name of a person"):
        confirm_mapping(path, "  ")
    assert path.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "m.yaml:1", "an empty file"),
        ("just words", "m.yaml:1", "only text"),
        ("source: x", "m.yaml:1 tags", "missing"),
        ("source: x\ntags: {}\nsorce: y", "m.yaml:3 sorce", "did you mean 'source'"),
        ("source: x\ntags:\n  a/b: {quantity: state}", "m.yaml:3 tags.a/b element", "missing"),
        ("source: x\ntags:\n  a/b: {element: e, quantity: sate}", "m.yaml:3", "sate"),
        ("source: x\ntags:\n  a/b: {element: e, quantity: value}", "m.yaml:3", "'which'"),
        (
            "source: x\ntags:\n  a/b: {element: e, quantity: state, which: q}",
            "m.yaml:3",
            "has no name",
        ),
        (
            "source: x\ntags:\n  a/b: {element: e, quantity: state, factor: 2}",
            "m.yaml:3",
            "no amount",
        ),
        (
            "source: x\ntags:\n  a/b: {element: e, quantity: level, factor: 0}",
            "m.yaml:3",
            "not be 0",
        ),
        ("source: x\ntags:\n  a/b: 3", "m.yaml:3 tags a/b", "must be a mapping"),
        ("source: x\ntags:\n  a: {element: e, quantity: state}\nignored: [a]", "m.yaml", "a must"),
        ("source: x\ntags: {}\ntags: {}", "m.yaml:3", "second time"),
        ("source: [x\n", "m.yaml:", "valid YAML"),
        ("source: x\ntags: {}\nignored: {a: b}", "m.yaml:3", "must be a list"),
    ],
)
def test_mistake_is_one_error_with_its_line(text, place, what):
    with pytest.raises(TelemetryError) as error:
        read_mapping_text(text, "m.yaml")
    assert place in str(error.value)
    assert what in str(error.value)


def test_all_mistakes_are_told_at_once():
    text = "source: x\ntags:\n  a/b: 1\n  c/d: 2\n  e/f: 3\n"
    with pytest.raises(TelemetryError) as error:
        read_mapping_text(text)
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["absent.yaml", "absent"])
def test_file_that_is_not_there_is_told(tmp_path, name):
    with pytest.raises(TelemetryError, match="no such file"):
        read_mapping(tmp_path / name)


def test_folder_and_binary_file_are_told(tmp_path):
    with pytest.raises(TelemetryError, match="folder"):
        read_mapping(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TelemetryError, match="UTF-8"):
        read_mapping(tmp_path / "b.yaml")


def test_folder_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path):
    with pytest.raises(TelemetryError, match="cannot be written"):
        write_mapping(mapping_of(), tmp_path / "absent" / "mapping.yaml")


def test_write_goes_to_the_tag_in_the_unit_of_the_source():
    mapping = mapping_of(
        cmd={"element": "a", "quantity": "speed_command", "factor": 0.125},
        force={"element": "a", "quantity": "setting", "which": "force"},
    )
    assert mapping.write_for("a", Quantity.SPEED_COMMAND, 1.25) == TagWrite("cmd", 10.0)
    assert mapping.write_for("a", Quantity.SETTING, 3.0, "force") == TagWrite("force", 3.0)
    with pytest.raises(TelemetryError, match="no tag for the setting torque of a"):
        mapping.write_for("a", Quantity.SETTING, 3.0, "torque")


# ---- against a factory


def test_mapping_that_fits_has_no_errors():
    mapping = mapping_of(
        a={"element": "winding#1", "quantity": "state"},
        b={"element": "winding#1", "quantity": "tracking"},
        c={"element": "winding#1", "quantity": "processed"},
        d={"element": "drying", "quantity": "level"},
        e={"element": "drying", "quantity": "state"},
        f={"element": "drying", "quantity": "processed"},
    )
    found = check(mapping, ELEMENTS)
    assert found.errors == ()
    assert [str(warning) for warning in found.warnings] == [
        "mapping tags.drying: has no tag for tracking; its items will be counted, not followed"
    ]


def test_elements_that_the_factory_has_not_are_errors_with_their_lines():
    text = """\
source: x
tags:
  a: {element: windin#1, quantity: state}
  b: {element: winding#1, quantity: level}
  c: {element: packing.lid, quantity: state}
  d: {element: packing.lid, quantity: value, which: weight}
"""
    found = check(read_mapping_text(text, "m.yaml"), ELEMENTS)
    texts = [str(error) for error in found.errors]
    assert texts[0] == (
        "m.yaml:3 tags.a element: windin#1; must be a machine of the factory; "
        "did you mean 'winding#1'?"
    )
    assert texts[1].startswith("m.yaml:4 tags.b element: winding#1; must be a buffer")
    assert texts[2].startswith("m.yaml:5 tags.c element: packing.lid; must be a machine")
    assert len(texts) == 3


def test_second_tag_for_a_quantity_is_an_error():
    mapping = mapping_of(
        a={"element": "drying", "quantity": "state"}, b={"element": "drying", "quantity": "state"}
    )
    (error,) = check(mapping, ELEMENTS).errors
    assert "second tag for the state of drying" in str(error)
    assert "remove it or 'a'" in str(error)


def test_machine_without_state_or_counter_is_a_warning():
    mapping = mapping_of(a={"element": "drying", "quantity": "tracking"})
    warnings = [str(warning) for warning in check(mapping, ELEMENTS).warnings]
    assert any("winding#1" in text and "state" in text for text in warnings)
    assert any("winding#1" in text and "items will not be seen" in text for text in warnings)
    assert any("drying" in text and "no counter" in text for text in warnings)
