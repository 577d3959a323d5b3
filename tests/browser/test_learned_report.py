import re

import pytest

from gigatwin.app.learned.report import write_learned_report
from gigatwin.learning.learn import learn
from tests.unit.app.learned_line import holdout, small_log, verification


@pytest.fixture(scope="module")
def learned():
    return learn(small_log(), "small")


@pytest.fixture
def report(learned, tmp_path):
    path = tmp_path / "learned.html"
    write_learned_report(
        path, learned, verification=verification(), holdout=holdout(), log=small_log()
    )
    return path


def test_report_of_a_learned_line_is_drawn_without_complaints(rendered, report, learned):
    page, messages = rendered(report)
    assert [text for text in messages.splitlines() if "CONSOLE" in text] == []
    names = set(re.findall(r'<div id="(figure-[a-z-]+)"', page))
    drawn = set(re.findall(r'<div id="(figure-[a-z-]+)" class="[^"]*js-plotly-plot', page))
    assert drawn == names == {"figure-distributions", "figure-changes"}
    figure = page[page.index('id="figure-distributions"') : page.index('<section id="changes"')]
    curves = re.findall(r'<path class="js-line" d="M[^"]{20,}"', figure)
    assert len(curves) >= 2 * len(learned.stations)  # measured and learned
