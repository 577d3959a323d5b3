"""What the documentation shows is true: descriptions are valid, links and options are there."""

import re

import pytest
from typer.main import get_command

from gigatwin.cli.main import app
from gigatwin.equipment.model.reading import read_machine_text
from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.factory.reading import read_text
from tests.architecture.sources import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DESCRIPTIONS = {
    f"{page.relative_to(ROOT)}:{match[1].splitlines()[0]}": match[1]
    for page in PAGES
    for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
    if match[1].startswith("name:")
}
GENERATED = ("factory-description.md", "machine-description.md")  # by the documentation build
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
SHELL = re.compile(r"^```(?:sh|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = {
    line.split(" #")[0].strip()
    for page in PAGES
    for match in SHELL.finditer(page.read_text(encoding="utf-8"))
    for line in match[1].splitlines()
    if line.startswith("gigatwin ")
}


def test_there_is_something_to_check():
    assert len(DESCRIPTIONS) > 5
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("place", DESCRIPTIONS)
def test_description_in_the_documentation_is_valid(place):
    text = DESCRIPTIONS[place]
    if "\nactivities:" in text:
        assert read_machine_text(text, place).activities
        return
    factory = with_cycle_models(read_text(text, place))
    assert factory.stations


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    missing = [
        target
        for target in targets
        if not (page.parent / target).exists() and not target.endswith(GENERATED)
    ]
    assert missing == []


@pytest.mark.parametrize("line", sorted(COMMANDS))
def test_command_in_the_documentation_has_these_options(line):
    command, words = get_command(app), line.split()[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = command.params
    names = {option for param in known for option in (*param.opts, *param.secondary_opts)}
    used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= names
