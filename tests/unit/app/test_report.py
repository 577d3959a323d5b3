import math
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from gigatwin.app.figures import in_flow_order
from gigatwin.app.report import report_html, write_report
from gigatwin.factory.reading import read_text
from gigatwin.kpi.bottleneck import BottleneckCandidates
from gigatwin.simulation.simulate import simulate
from gigatwin.studies.comparison import compare
from tests.unit.app.line import HOSTILE, STORAGE, small_line
from tests.unit.app.page import Page

MAY_REFER = {
    "href",
    "src",
    "srcset",
    "data",
    "action",
    "poster",
    "background",
    "cite",
    "xlink:href",
}
PLAIN = """
name: plain
stations:
  only: {kind: discrete, time: 30 s}
"""


def test_top_says_what_was_run(page, result):
    top = page.sections[""]
    assert result.factory_name in top
    assert "0.15 days \u00d7 3 replications" in top
    assert "warm-up" in top
    assert f"seed {result.seed}" in top


def test_top_has_the_totals_with_interval_and_unit(page, result):
    top = page.sections[""]
    mean, low, high = result.total("throughput_rate")
    assert f"{mean / 60:.2f} \u00b1 {(high - low) / 120:.2f} items/min" in top
    mean, low, high = result.total("yield_ratio")
    assert f"{100 * mean:.1f} \u00b1 {50 * (high - low):.1f} %" in top
    mean, low, high = result.total("items_in_process")
    assert f"{mean:.2f} \u00b1 {(high - low) / 2:.2f} items" in top


def test_top_has_the_oee_of_each_line(page, result):
    top = page.sections[""]
    for row in result.lines.iter_rows(named=True):
        mean, high = 100 * row["oee_index"], 100 * row["oee_index_high"]
        assert f"{row['line']}{mean:.1f} \u00b1 {high - mean:.1f} %" in top


def test_top_names_the_bottleneck_and_where_its_time_goes(page, result):
    top = page.sections[""]
    name = result.bottleneck.stations[0]
    rows = result.stations.filter(pl.col("station") == name)
    assert f"{name} " in top
    assert f"executing {100 * rows['executing_share'][0]:.1f} \u00b1" in top
    assert result.bottleneck.sentence in top


@pytest.mark.parametrize("heading", ["Availability", "OEE index", "Effectiveness"])
def test_table_of_stations_has_their_kpis(page, result, heading):
    column = heading.lower().replace(" ", "_")
    found = page.keys("KPIs of stations", heading)
    assert list(found) == in_flow_order(result.stations)["station"].to_list()
    for row in result.stations.iter_rows(named=True):
        if row["station"] != STORAGE:
            assert float(found[row["station"]]) == pytest.approx(row[column], rel=1e-9)


def test_station_that_only_keeps_items_has_no_oee(page):
    assert page.texts("KPIs of stations", "OEE index")[STORAGE] == "\u2013"


def test_table_of_stations_shows_units_and_intervals(page, result):
    head = [cell["text"] for cell in page.tables["KPIs of stations"][0]]
    assert "Output [items/min]" in head
    assert "OEE index [%]" in head
    row = result.stations.row(0, named=True)
    mean, high = 100 * row["oee_index"], 100 * row["oee_index_high"]
    shown = page.texts("KPIs of stations", "OEE index")[row["station"]]
    assert shown == f"{mean:.1f} \u00b1 {high - mean:.1f}"


def test_tables_of_losses_have_the_rates(page, result):
    causes = page.keys("Findings by cause and place", "Findings")
    for row in result.scrap.iter_rows(named=True):
        assert float(causes[row["cause"]]) == pytest.approx(row["rate [1/h]"])
    stops = page.keys("Stops that cost the most time", "Stops")
    assert float(stops["cut"]) == pytest.approx(24 * result.stops["rate [1/h]"][0])
    energy = page.keys("Energy by consumer", "Heat")
    assert float(energy["dry_room"]) == pytest.approx(70.0)


def test_it_says_by_which_formulas_it_was_computed(page):
    assert "Computed with the ISO 22400-2:2014 formulas" in page.sections["reading"]


def test_links_within_the_page_lead_to_its_sections(page):
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == [f"#{name}" for name in page.sections if name]


def test_nothing_is_loaded_from_elsewhere(page):
    references = [
        (tag, name, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in MAY_REFER and not value.startswith("#")
    ]
    assert references == []
    assert {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed"} == set()
    assert not any("url(" in style or "@import" in style for style in page.styles)


def test_browser_is_told_to_load_nothing(page):
    (policy,) = [
        attributes["content"]
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_plotly_is_there_once(page):
    assert sum(len(script) > 1_000_000 for script in page.scripts) == 1


def test_names_are_text_and_never_markup(page):
    assert not any("alert(1)" in s for s in page.scripts if "Plotly.newPlot" not in s)
    assert not any("<script>alert" in script for script in page.scripts)
    assert HOSTILE in page.texts("KPIs of stations", "OEE")
    assert "<b>small</b>" in page.sections[""]


def test_failure_while_writing_leaves_no_file(result, tmp_path, monkeypatch):
    def half(path, text, **_):
        with path.open("w", encoding="utf-8") as file:
            file.write(text[: len(text) // 2])
        message = "no space left on device"
        raise OSError(message)

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="no space left"):
        write_report(tmp_path / "report.html", result)
    assert list(tmp_path.iterdir()) == []


def test_failure_while_writing_keeps_the_report_that_was_there(result, tmp_path, monkeypatch):
    def fails(*_, **__):
        message = "no space left on device"
        raise OSError(message)

    path = tmp_path / "report.html"
    path.write_text("the report before", encoding="utf-8")
    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(OSError, match="no space left"):
        write_report(path, result)
    assert path.read_text(encoding="utf-8") == "the report before"


def test_report_is_written_and_nothing_else(result, tmp_path):
    write_report(tmp_path / "report.html", result)
    (path,) = tmp_path.iterdir()
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")


def test_missing_folder_is_an_error_of_the_system(result, tmp_path):
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "missing" / "report.html", result)


def test_run_that_is_not_steady_is_marked(result):
    doubtful = Page(report_html(replace(result, is_warm_up_accepted=False)))
    assert "too short to be steady" in doubtful.sections[""]


def test_factory_in_which_nothing_worked_has_a_report(result):
    idle = BottleneckCandidates({}, (), "No station processed anything.")
    page = Page(report_html(replace(result, bottleneck=idle)))
    assert "No station processed anything." in page.sections[""]


def test_overloaded_line_is_marked(result):
    page = Page(report_html(replace(result, is_overloaded=True)))
    assert "More arrives than the factory can pass on" in page.sections[""]


def test_steady_run_has_no_cautions(page):
    assert not any(attributes.get("class") == "caution" for _, attributes in page.tags)


def test_plain_line_without_stops_scrap_or_energy_has_a_report():
    result = simulate(read_text(PLAIN, "plain"), days=0.2, replications=1, warm_up=0.0)
    plain = Page(report_html(result))
    assert "One replication gives no intervals" in plain.sections[""]
    assert "no warm-up" in plain.sections[""]
    assert plain.texts("KPIs of stations", "OEE index") == {"only": "100"}
    assert not {"scrap", "stops", "energy", "resources", "buffers"} & set(plain.sections)


def test_run_in_which_nothing_was_finished_has_a_report():
    description = PLAIN.replace("30 s", "10 h")
    result = simulate(read_text(description, "slow"), days=0.1, replications=2)
    assert math.isnan(result.total("lead_time_mean")[0])
    slow = Page(report_html(result))
    assert "No product was finished" in slow.sections[""]
    assert "lead-times" not in slow.sections


def test_comparison_shows_the_differences_of_each_scenario():
    changes = {"new <welder>": {f"stations.{HOSTILE}.time.mean": "6 s"}}
    comparison = compare(small_line(), changes, days=0.1, replications=3, warm_up=600.0)
    page = Page(report_html(comparison.base, comparison))
    assert list(page.sections)[1] == "comparison"
    name = "Differences of the scenarios from the base"
    _, *rows = page.tables[name]
    assert len(rows) == comparison.table.height
    for cells, row in zip(rows, comparison.table.iter_rows(named=True), strict=True):
        assert cells[0]["text"] == "new <welder>"
        assert float(cells[4]["key"]) == pytest.approx(row["difference"], abs=1e-9)
        assert cells[5]["text"] == row["verdict"]
    row = comparison.row("new <welder>", "throughput_rate")
    half = (row["difference_high"] - row["difference_low"]) / 2
    assert rows[0][4]["text"] == f"{row['difference'] / 60:+.2f} \u00b1 {half / 60:.2f}"


def test_report_of_uncertain_parameters_says_so(result):
    caution = "95 % interval over parameters as well as chance"
    assert caution in report_html(replace(result, parameters="uncertain"))
    assert caution not in report_html(result)
