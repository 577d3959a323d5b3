"""Modules are small, named by their subject, and say what they are."""

import re

import pytest

from tests.architecture.sources import MODULES, PACKAGE, STAGES, docstring

VAGUE = {"utils", "util", "common", "helpers", "helper", "misc", "base"}
LONGEST = 500
# Their packages hold edges and values, not stages of the flow from description to result.
NO_FLOW = {"gigatwin.standards", "gigatwin.testing", "gigatwin.units"}


def test_there_is_something_to_check():
    assert len(MODULES) > 20
    assert len(STAGES) > 5


@pytest.mark.parametrize("name", MODULES)
def test_module_says_what_it_is(name):
    assert docstring(MODULES[name]), f"{MODULES[name]} needs a docstring"


@pytest.mark.parametrize("name", MODULES)
def test_module_has_one_subject(name):
    n_lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert n_lines <= LONGEST, f"{name} has {n_lines} lines; at most {LONGEST}: split it by subject"


@pytest.mark.parametrize("name", MODULES)
def test_module_is_named_by_its_subject(name):
    vague = VAGUE & {part.strip("_") for part in name.split(".")}
    assert not vague, f"{name}: name it by what it holds"


def test_packages_with_modules_can_be_imported():
    folders = {file.parent for file in MODULES.values()}
    missing = [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()]
    assert missing == []


@pytest.mark.parametrize("name", sorted(STAGES.keys() - NO_FLOW))
def test_stage_says_what_it_reads_and_writes(name):
    text = docstring(STAGES[name])
    for word in ("Reads:", "Writes:"):
        assert re.search(rf"^{word} \S", text, re.MULTILINE), f"{name}: a line '{word} ...'"


def test_package_is_marked_as_typed():
    assert (PACKAGE / "py.typed").exists()
