import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from gigatwin.app.learned.graph import line_graph
from gigatwin.app.learned.numbers import estimate_text
from gigatwin.app.learned.report import learned_report_html, write_learned_report
from gigatwin.app.learned.ways import drawn_ways, ways
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.calibration.abc_smc import Posterior
from gigatwin.learning.calibration.calibration import Calibration
from gigatwin.learning.calibration.factors import Factor
from gigatwin.learning.flow.assembly import Join
from gigatwin.learning.provenance import Unknown
from tests.unit.app.learned_line import N_CASES, RARE, verification
from tests.unit.app.line import HOSTILE
from tests.unit.app.page import Page


def estimate(value, low, high, unit="s"):
    return Estimate(value=value, low=low, high=high, unit=unit, n=9, method="made")


def with_station(learned, name, **changes):
    stations = dict(learned.stations)
    stations[name] = replace(stations[name], **changes)
    return replace(learned, stations=stations)


def buffer_of(learned, name, **changes):
    return replace(learned.stations[name].buffer, **changes)


def test_top_says_what_was_learned_from_what(learned_page, log):
    top = learned_page.sections[""]
    assert f"{log.visits.height} visits of {N_CASES} cases" in top.replace("\u202f", "")
    assert "6 machines" in top
    assert "Stations6" in top
    assert "Differs from the log in 1 of 6 figures" in top


def test_top_has_throughput_of_the_log_and_simulated(learned_page):
    top = learned_page.sections[""]
    assert "Throughput [items/min]" in top
    assert "log1.50simulated1.53 ± 0.15" in top


def test_top_counts_what_is_not_known(learned_page, learned):
    assert f"What the log cannot tell{len(learned.unknowns)}" in learned_page.sections[""]


def test_line_that_was_not_compared_is_said_to_be_so(learned):
    page = Page(learned_report_html(learned))
    assert "was not compared with the log" in page.sections[""]
    assert "verification" not in page.sections
    assert learned.factory.description.rstrip(".") in page.sections[""]


def test_line_that_agrees_is_said_to_agree(learned):
    found = verification()
    good = tuple(replace(f, is_larger_than_chance=False) for f in found.figures)
    page = Page(learned_report_html(learned, verification=replace(found, figures=good)))
    assert "Agrees with the log." in page.sections[""]


def test_graph_shows_every_station_with_its_mean(learned, learned_page):
    text = learned_page.sections["line"]
    for name in ("cut", "paint", "print", "check", RARE):
        assert f"{name}{estimate_text(learned.stations[name].times.mean)}" in text


def test_graph_names_the_shares_of_a_split(learned, learned_page):
    total = N_CASES
    n_paint = learned.flow.arcs[next(n for n in learned.stations if n.startswith("weld"))]["paint"]
    assert f"{100 * n_paint / total:.0f} %" in learned_page.sections["line"]


def test_graph_draws_rework_as_a_way_back(learned):
    svg = line_graph(learned)
    backs = re.findall(r'class="way back".*?<title>(.*?)</title>', svg)
    assert [title.split(":")[0] for title in backs] == ["check to paint"]


def test_graph_shows_a_buffer_that_is_only_a_bound_as_such(learned):
    known = with_station(
        learned, "paint", buffer=buffer_of(learned, "paint", capacity=7, is_identified=True)
    )
    bound = with_station(
        learned, "paint", buffer=buffer_of(learned, "paint", capacity=23, is_identified=False)
    )
    assert ">7</text>" in line_graph(known)
    assert ">\u2265 23</text>" in line_graph(bound)


def test_graph_shows_an_assembly_and_what_was_assumed(learned):
    n = learned.stations["check"].times.mean.n
    join = Join("check", "print", 2 * n, "assumed", "made")
    joined = replace(learned, flow=replace(learned.flow, joins={"check": (join,)}))
    svg = line_graph(joined)
    assert ">2 per item</text>" in svg
    assert ">assumed</text>" in svg


def test_graph_shows_scrap(learned):
    scrapped = replace(learned, flow=replace(learned.flow, scrap={"paint": 10}))
    arcs = {**learned.flow.arcs, "paint": {"check": 190, "out": 10}}
    scrapped = replace(scrapped, flow=replace(scrapped.flow, arcs=arcs))
    assert ">scrap 5 %</text>" in line_graph(scrapped)


def test_rare_ways_are_left_out_where_there_are_many(learned):
    names = list(learned.stations)
    arcs = {
        name: {other: 1000 if k == place + 1 else 1 for k, other in enumerate(names) if k > place}
        for place, name in enumerate(names)
    }
    busy = replace(learned, flow=replace(learned.flow, arcs=arcs))
    assert len(ways(busy)) == 15
    assert {(way.source, way.target) for way in drawn_ways(busy)} == set(pairwise(names))


@pytest.mark.parametrize("size", [1, 4, 40])
def test_graph_grows_with_the_line_and_does_not_shrink_its_boxes(learned, size):
    names = [f"s{k}" for k in range(size)]
    item = learned.stations["cut"]
    flow = replace(
        learned.flow,
        stations=dict.fromkeys(names, learned.flow.stations["cut"]),
        arcs={
            "in": {names[0]: 10},
            **{a: {b: 10} for a, b in zip(names, [*names[1:], "out"], strict=True)},
        },
        rework=frozenset(),
    )
    stations = {name: replace(item, name=name) for name in names}
    svg = line_graph(replace(learned, flow=flow, stations=stations))
    width, height = (float(value) for value in re.findall(r'(?:width|height)="(\d+)"', svg)[:2])
    assert width > 170 * size
    assert height < 250
    lefts = [float(x) for x in re.findall(r'</title><rect x="([\d.]+)"', svg)]
    assert len(lefts) == size
    assert lefts == sorted(lefts)


def test_table_of_stations_has_the_means(learned, learned_page):
    found = learned_page.keys("Learned stations", "Processing time")
    for item in learned.stations.values():
        assert float(found[item.name]) == pytest.approx(item.times.mean.value)


def test_table_of_stations_says_where_numbers_come_from(learned, learned_page):
    found = learned_page.texts("Learned stations", "Source rows")
    assert found["cut"] == learned.stations["cut"].times.mean.rows
    reasons = learned_page.texts("Laws and their reasons", "Why this law")
    assert reasons["cut"].lower() == learned.stations["cut"].times.reason.lower()


def test_station_seen_once_has_no_interval_and_is_not_known(learned_page):
    assert learned_page.texts("Learned stations", "Processing time")[RARE].endswith("± ?")
    known = learned_page.texts("Learned stations", "Known")
    assert (known[RARE], known["cut"]) == ("no", "yes")


def test_every_unknown_is_said_with_its_signal(learned, learned_page):
    text = learned_page.sections["unknown"]
    for item in learned.unknowns:
        assert item.signal in text
        assert item.what in text


def test_equal_unknowns_are_said_once(learned):
    twice = tuple(Unknown(f"{name}.stops", "Which.", "States.") for name in ("cut", "check"))
    page = Page(learned_report_html(replace(learned, unknowns=twice)))
    assert page.sections["unknown"].count("Which.") == 1
    assert "cut, check" in page.sections["unknown"]


def test_change_is_dated(learned, learned_page):
    (change,) = learned.stations["paint"].drift.changes
    (changed,) = learned_page.texts("Changes with time", "Changed at").values()
    assert changed == learned.axis.moment(change.time)
    assert "one false alarm in 30 days over all stations" in learned_page.sections["changes"]


def test_line_without_changes_is_said_to_have_none(learned):
    still = with_station(learned, "paint", drift=None)
    page = Page(learned_report_html(still))
    assert "No station changed" in page.sections["changes"]
    assert "false alarm in 30 days" in page.sections["changes"]


def test_comparison_shows_the_line_and_what_differs(learned_page):
    found = learned_page.texts("Comparison", "Larger than chance?")
    assert found == {"line": "no", "cut": "yes"}
    assert learned_page.texts("Comparison", "Difference")["cut"] == "+50 %"
    everything = learned_page.texts("All compared figures", "Larger than chance?")
    assert set(everything) == {"line", "cut", "check"}


def test_held_out_scores_stand_beside_plain_ones(learned_page):
    found = learned_page.texts("Held-out scores", "Wasserstein")
    assert found == {"the learned line": "3", "repeating the past": "7"}


def test_reading_of_the_log_names_guesses_and_warnings(learned_page, log):
    text = learned_page.sections["log"]
    assert log.guesses[0] in text
    assert log.warnings[0] in text


def test_guesses_given_are_those_shown(learned, log):
    page = Page(learned_report_html(learned, log=log, guesses=("start: column 'von'",)))
    assert "column 'von'" in page.sections["log"]
    assert log.guesses[0] not in page.sections["log"]


def test_calibration_shows_factors_before_and_after(learned):
    factors = np.log(np.linspace(1.1, 1.3, 41))
    middle = np.exp(factors.mean())
    posterior = Posterior(
        names=("time",),
        sample=factors[:, None],
        weights=np.full(41, 1 / 41),
        tolerances=(1.0,),
        effective_size=41.0,
        n_simulations=41,
    )
    calibration = Calibration(
        factory=learned.factory,
        factors=(Factor("time", "time", ("cut",), 0.1),),
        posterior=posterior,
        summaries=("throughput", "lead time 50 % quantile"),
        observed=np.log([0.025, 90.0]),
        errors=np.array([0.1, 0.1]),
        before=np.log([0.03, 60.0]),
        after=np.log([0.0251, 89.0]),
        notes=("A note.",),
    )
    page = Page(learned_report_html(learned, calibration=calibration))
    assert page.texts("Calibrated factors", "After")["time"] == f"{middle:.3f} ± 0.097"
    figures = page.texts("Figures before and after calibration", "After")
    assert figures["throughput"] == "1.51 items/min"
    assert "A note." in page.sections["calibration"]


def test_report_refers_to_nothing_outside(learned_html):
    page = Page(learned_html)
    for _, attributes in page.tags:
        for name in ("href", "src", "action"):
            assert attributes.get(name, "#").startswith("#")
    assert "default-src 'none'" in learned_html


def test_names_of_a_log_are_no_markup(learned_html):
    assert HOSTILE not in learned_html
    assert "weld&lt;script&gt;alert(1)&lt;/script&gt;" in learned_html


def test_every_link_leads_to_a_section(learned_page):
    targets = {a["href"][1:] for tag, a in learned_page.tags if tag == "a"}
    assert targets <= set(learned_page.sections)
    assert {"line", "unknown", "stations", "times", "changes", "verification", "log"} <= targets


def test_report_is_no_larger_than_8_megabytes(learned_html):
    assert len(learned_html.encode()) < 8e6


def test_report_is_written_whole(learned, tmp_path):
    path = tmp_path / "learned.html"
    write_learned_report(path, learned)
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [file.name for file in tmp_path.iterdir()] == ["learned.html"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (estimate(90.0, 84.0, 96.0), "90.0 ± 6.0 s"),
        (estimate(1200.0, 900.0, 1500.0), "20.0 ± 5.0 min"),
        (estimate(1200.0, 900.0, None), "\u2265 15.0 min"),
        (estimate(37.3, 0.0, None), "37.3 s ± ?"),
        (estimate(4.0, 3.0, 5.0, ""), "4.0 ± 1.0"),
    ],
)
def test_estimate_is_written_with_its_interval(number, text):
    assert estimate_text(number) == text
