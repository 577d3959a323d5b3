import html
import re

import pytest

from gigatwin.app.report import write_report
from gigatwin.factory import load
from gigatwin.simulation.simulate import simulate

SORT = """<script>
document.querySelector("#stations th:nth-child(3) button").click();
</script></body>"""


@pytest.fixture(scope="module")
def result():
    return simulate(load("assembly-46"), days=0.1, replications=2)


@pytest.fixture
def report(result, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, result)
    return path


def part(page, begin, end):
    start = page.index(begin)
    return page[start : page.index(end, start)]


def drawn_bars(figure):
    """Return for each series of bars the path of each bar, empty where there is none to see."""
    return [
        re.findall(r'<g class="point"><path d="([^"]*)"', series)
        for series in figure.split('class="trace bars"')[1:]
    ]


def width(path):
    """Return how far a bar reaches, its path being 'M x,y V y H x V y Z'."""
    found = re.match(r"M([\d.]+),[\d.]+V[\d.]+H([\d.]+)V", path)
    return float(found[2]) - float(found[1]) if found else 0.0


def test_a_bar_is_drawn_for_each_station(rendered, report, result):
    page, _ = rendered(report)
    figure = part(page, 'id="figure-times"', '<section id="stations"')
    series = drawn_bars(figure)
    names = result.stations["station"].to_list()
    assert len(series) > 3
    lengths = [sum(width(path) for path in bars) for bars in zip(*series, strict=True)]
    assert len(lengths) == len(names)
    assert min(lengths) > 500  # all of them span the figure [px]
    assert max(lengths) - min(lengths) < 5
    labels = [
        html.unescape(text) for text in re.findall(r'class="ytick"><text[^>]*>([^<]*)', figure)
    ]
    assert [label.split()[0] for label in labels] == names


def test_executing_bars_are_as_long_as_their_share(rendered, report, result):
    page, _ = rendered(report)
    figure = part(page, 'id="figure-times"', '<section id="stations"')
    series = drawn_bars(figure)
    whole = sum(width(bars[0]) for bars in series)
    shares = result.stations["executing_share"].to_list()
    drawn = [width(path) / whole for path in series[0]]
    assert drawn == pytest.approx(shares, abs=0.01)


def test_every_figure_is_drawn(rendered, report):
    page, _ = rendered(report)
    names = set(re.findall(r'<div id="(figure-[a-z-]+)"', page))
    drawn = set(re.findall(r'<div id="(figure-[a-z-]+)" class="[^"]*js-plotly-plot', page))
    assert drawn == names
    assert {"figure-times", "figure-buffers", "figure-levels", "figure-output"} <= drawn


def test_browser_has_nothing_to_complain_about(rendered, report):
    _, messages = rendered(report)
    complaints = [line for line in messages.splitlines() if "CONSOLE" in line]
    assert complaints == []


def test_browser_reports_what_a_page_does_wrong(rendered, tmp_path):
    # Without this, the test before could not fail.
    path = tmp_path / "wrong.html"
    path.write_text("<html><script>missing()</script></html>", encoding="utf-8")
    _, messages = rendered(path)
    assert "missing is not defined" in messages


def test_table_sorts_by_the_heading_selected(rendered, report, result):
    text = report.read_text(encoding="utf-8").replace("</body>", SORT)
    report.write_text(text, encoding="utf-8")
    page, _ = rendered(report)
    table = part(page, 'aria-label="KPIs of stations"', "</table>")
    rows = re.findall(r'<tr><td data-key="([^"]*)"', table)
    column = "throughput_rate [1/h]"
    expected = result.stations.sort(column, descending=True, maintain_order=True)
    assert rows == expected["station"].to_list()
    assert 'aria-sort="descending"' in table
