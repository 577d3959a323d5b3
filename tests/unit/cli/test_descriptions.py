"""``new``, ``validate`` and ``schema``: from a template to a valid description."""

import json

import pytest

from gigatwin.factory.reading import library_names, load
from gigatwin.factory.schema import json_schema


def test_templates_are_listed_with_a_sentence(call):
    lines = call("new", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == library_names()
    assert all(len(line.split()) > 4 for line in lines)


@pytest.mark.parametrize("template", library_names())
def test_new_description_is_the_template_under_another_name(call, folder, template):
    call("new", "my-line", "--template", template)
    made = load(folder / "my-line.yaml")
    assert made.name == "my-line"
    assert made.model_copy(update={"name": template}) == load(template)


def test_new_description_keeps_its_comments(call, folder):
    call("new", "my-line", "--template", "two-machine")
    text = (folder / "my-line.yaml").read_text(encoding="utf-8")
    assert "the smallest line on which everything can be checked by hand" in text
    assert "gigatwin run my-line.yaml" in text
    assert "gigatwin run two-machine" not in text


@pytest.mark.parametrize("name", ["4680", "no", "1e3", "null"])
def test_name_that_yaml_would_misread_stays_a_name(call, folder, name):
    call("new", name)
    assert load(folder / f"{name}.yaml").name == name


def test_existing_file_is_kept_unless_forced(call, folder):
    (folder / "my-line.yaml").write_text("mine", encoding="utf-8")
    assert "exists already" in call("new", "my-line", code=2).stderr
    assert (folder / "my-line.yaml").read_text(encoding="utf-8") == "mine"
    call("new", "my-line", "--force")
    assert load(folder / "my-line.yaml").name == "my-line"


def test_output_may_be_elsewhere(call, folder):
    (folder / "lines").mkdir()
    call("new", "shop", "--output", "lines/first.yaml")
    assert load(folder / "lines" / "first.yaml").name == "shop"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "NAME: missing"),
        (["../x"], "must be a name of letters"),
        (["x", "--template", "assembly"], "did you mean 'assembly-46'"),
        (["x", "--output", "no/x.yaml"], "must be in an existing folder"),
    ],
)
def test_mistakes_of_new_are_named(call, folder, arguments, message):
    assert message in call("new", *arguments, code=2).stderr
    assert list(folder.iterdir()) == []


def test_valid_descriptions_are_counted(call):
    text = call("validate", "two-machine", "machine-repair").stdout
    assert "two-machine: ok (2 stations, 2 machines, 1 format)" in text
    assert "machine-repair: ok (1 station, 5 machines, 1 format, 1 resource)" in text


def test_estimates_are_counted(call, folder):
    (folder / "line.yaml").write_text(
        "name: line\nstations:\n  a:\n    time: 12 s\n"
        "    estimates: {time: {value: 12, low: 11, high: 13, unit: s, n: 9, method: mean}}\n",
        encoding="utf-8",
    )
    assert "1 format, 1 estimate)" in call("validate", "line.yaml").stdout


@pytest.fixture
def bad(folder):
    """Return a description with two problems."""
    file = folder / "bad.yaml"
    file.write_text(
        "name: bad\n"
        "stations:\n"
        "  a: {kind: discrete, time: -3 s}\n"
        "  b: {kind: discrete, time: 1 s, speed: quick}\n",
        encoding="utf-8",
    )
    return file.name


def test_problems_are_listed_with_their_lines(call, bad):
    result = call("validate", bad, "two-machine", code=2)
    assert "2 problems" in result.stderr
    assert "bad.yaml:3" in result.stderr
    assert "bad.yaml:4" in result.stderr
    assert "two-machine: ok" in result.stdout


def test_problems_are_listed_as_json(call, bad):
    first, second = json.loads(call("validate", bad, "two-machine", "--json", code=2).stdout)
    assert not first["is_valid"]
    assert [problem["line"] for problem in first["problems"]] == [3, 4]
    assert second["is_valid"]
    assert second["stations"] == 2


def test_faulty_parameter_set_is_found(call, folder):
    (folder / "line.yaml").write_text(
        "name: line\nstations:\n  a: {kind: discrete, time: 1 s}\n"
        "parameter_sets:\n  quick: {a.time: 3 kg}\n",
        encoding="utf-8",
    )
    assert "3 kg" in call("validate", "line.yaml", code=2).stderr


def test_schema_is_printed_or_written(call, folder):
    assert json.loads(call("schema").stdout) == json_schema()
    call("schema", "-o", "schema.json")
    assert json.loads((folder / "schema.json").read_text(encoding="utf-8")) == json_schema()
