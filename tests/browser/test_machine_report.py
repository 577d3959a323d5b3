import re

import pytest

from gigatwin.app.machine.report import write_machine_report
from gigatwin.equipment.model.reading import load_machine, read_machine_text
from gigatwin.equipment.schedule import schedule
from tests.unit.app.machine_texts import BROKEN

FIGURES = {"figure-gantt", "figure-window", "figure-limits", "figure-motion"}


@pytest.fixture(scope="module")
def winder():
    return load_machine("winder")


@pytest.fixture
def report(winder, tmp_path):
    path = tmp_path / "winder.html"
    write_machine_report(path, winder, "4680")
    return path


def part(page, begin, end):
    start = page.index(begin)
    return page[start : page.index(end, start)]


def drawn(page):
    names = set(re.findall(r'<div id="(figure-[a-z-]+)"', page))
    with_plot = set(re.findall(r'<div id="(figure-[a-z-]+)" class="[^"]*js-plotly-plot', page))
    assert names == with_plot
    return names


def bars(figure):
    """Return begin and length of every bar [px], its path being 'M x,y V y H x V y Z'."""
    found = re.findall(r'<g class="point"><path d="M([\d.]+),[\d.]+V[\d.]+H([\d.]+)V', figure)
    return [(float(begin), float(end) - float(begin)) for begin, end in found]


def test_report_of_a_machine_is_drawn_without_complaints(rendered, report):
    page, messages = rendered(report)
    assert [text for text in messages.splitlines() if "CONSOLE" in text] == []
    assert drawn(page) == FIGURES


def test_bars_of_the_gantt_chart_are_as_long_as_their_steps(rendered, report, winder):
    page, _ = rendered(report)
    figure = part(page, 'id="figure-gantt"', "</section>")
    evaluation = winder.evaluate("4680")
    found = schedule(evaluation)
    steps = [evaluation.values[s.time] for a in winder.activities for s in a.steps]
    slack = [value for value in found.slack.values() if value > 0]
    lengths = sorted(length for _, length in bars(figure))
    expected = sorted([*steps, *steps, *slack])
    assert len(lengths) == len(expected)
    scale = lengths[-1] / expected[-1]
    assert lengths == pytest.approx([scale * time for time in expected], abs=1.0)


def test_gantt_chart_fills_its_width_and_names_its_rows(rendered, report, winder):
    page, _ = rendered(report)
    figure = part(page, 'id="figure-gantt"', "</section>")
    found = bars(figure)
    assert max(begin + length for begin, length in found) > 850
    rows = part(figure, 'class="yaxislayer', "</svg>")
    for activity in winder.activities:
        assert activity.name in rows


def test_what_is_broken_is_seen(rendered, tmp_path):
    path = tmp_path / "broken.html"
    write_machine_report(path, read_machine_text(BROKEN), "thin")
    page, messages = rendered(path)
    assert [text for text in messages.splitlines() if "CONSOLE" in text] == []
    assert drawn(page) == FIGURES
    figure = part(page, 'id="figure-limits"', "</section>")
    assert "rgb(179, 55, 46)" in figure
    assert "160 %" in figure
