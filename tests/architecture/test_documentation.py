"""What the documentation shows is true: its descriptions are valid, its links lead somewhere."""

import re

import pytest

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
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def test_there_is_something_to_check():
    assert len(DESCRIPTIONS) > 5


@pytest.mark.parametrize("place", DESCRIPTIONS)
def test_description_in_the_documentation_is_valid(place):
    factory = read_text(DESCRIPTIONS[place], place)
    assert factory.stations


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    generated = "reference/factory-description.md"  # by the documentation build
    missing = [
        target
        for target in targets
        if not (page.parent / target).exists() and not target.endswith(generated)
    ]
    assert missing == []
