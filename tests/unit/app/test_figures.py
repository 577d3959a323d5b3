import numpy as np
import polars as pl
import pytest

from gigatwin.app.buffer_figures import fill, fill_over_time, limited
from gigatwin.app.comparison_figure import forest
from gigatwin.app.figures import STATES, as_html, in_flow_order, station_times
from gigatwin.app.flow_figures import formats_made, lead_times, over_time
from gigatwin.app.loss_figures import energy_bars, scrap_pareto
from gigatwin.standards.machine_states import MachineState
from tests.unit.app.line import HOSTILE, STORAGE


def trace(figure, name):
    return next(t for t in figure.data if t.name == name)


def test_every_machine_state_has_a_colour_of_its_own():
    assert set(STATES) == set(MachineState)
    assert len({colour for _, colour in STATES.values()}) == len(MachineState)


def test_bars_of_a_station_add_up_to_its_whole_time(result):
    figure = station_times(in_flow_order(result.stations))
    sums = np.sum([t.x for t in figure.data], axis=0)
    np.testing.assert_allclose(sums, 100.0, atol=0.01)


def test_executing_bar_has_the_executing_share(result):
    stations = in_flow_order(result.stations)
    figure = station_times(stations)
    drawn = trace(figure, "executing").x
    np.testing.assert_allclose(drawn, 100 * stations["executing_share"].to_numpy(), atol=1e-3)


def test_storage_is_not_shown_as_starved(result):
    stations = in_flow_order(result.stations)
    figure = station_times(stations)
    row = stations["station"].to_list().index(STORAGE)
    assert trace(figure, "only keeps items").x[row] == 100.0
    assert trace(figure, "starved").x[row] == 0.0


def test_vehicle_path_stands_before_the_station_it_leads_to(result):
    names = in_flow_order(result.stations)["station"].to_list()
    assert names == ["cut", HOSTILE, STORAGE, "check.transport", "check"]


def test_supply_from_outside_is_no_station(result):
    outside = result.stations.head(1).with_columns(
        station=pl.lit("suppliers"), line=pl.lit("outside")
    )
    stations = pl.concat([result.stations, outside])
    assert "suppliers" not in in_flow_order(stations)["station"].to_list()


def test_stations_are_grouped_by_line(result):
    figure = station_times(in_flow_order(result.stations))
    assert [note.text for note in figure.layout.annotations] == ["<b>front</b>", "<b>back</b>"]
    rows = list(figure.data[0].y)
    assert np.diff(rows).tolist() == [1.0, 2.0, 1.0, 1.0]


def test_name_in_a_figure_is_no_markup(result):
    figure = station_times(in_flow_order(result.stations))
    html = as_html(figure, "figure")
    assert "<script>alert" not in html
    assert all("<script>" not in text for text in figure.layout.yaxis.ticktext)


def test_buffer_bar_is_its_mean_level_over_its_places(result):
    buffers = limited(result.buffers)
    assert "check.transport" not in buffers["buffer"].to_list()  # it has no places
    drawn = fill(buffers).data[1].x
    expected = 100 * buffers["level [items]"] / buffers["capacity [items]"]
    np.testing.assert_allclose(drawn, expected.to_numpy(), atol=1e-3)


def test_fill_over_time_keeps_the_mean_level(result):
    buffers = limited(result.buffers)
    shares = np.array(fill_over_time(buffers, result.levels, result.warm_up).data[0].z)
    capacity = buffers["capacity [items]"].to_numpy()
    means = [result.levels[name].mean() for name in buffers["buffer"]]
    np.testing.assert_allclose(shares.mean(axis=1), 100 * np.array(means) / capacity, atol=0.1)


def test_warm_up_is_shaded(result):
    shapes = over_time(result).layout.shapes
    assert {(shape.x0, shape.x1) for shape in shapes} == {(0, result.warm_up / 3600)}


def test_output_over_time_keeps_the_number_of_products(result):
    figure = over_time(result)
    drawn = sum(np.mean(t.y) for t in figure.data if (t.name or "").startswith("output of"))
    names = [name for name in result.series.columns if name.startswith("output ")]
    per_hour = sum(result.series[name].mean() for name in names)
    assert drawn == pytest.approx(per_hour / 60, rel=1e-3)


def test_lead_time_bars_hold_all_but_the_longest(result):
    rows = {row["format"]: row for row in result.formats.iter_rows(named=True)}
    made = formats_made(result)
    assert made
    for name, bars in zip(made, lead_times(result).data, strict=True):
        shares = np.array(bars.y) * np.array(bars.width)
        assert shares.sum() == pytest.approx(100.0)
        centre = 60 * (shares * np.array(bars.x)).sum() / 100
        assert centre == pytest.approx(rows[name]["lead_time_mean [s]"], rel=0.05)


def test_scrap_names_the_delay_of_what_was_made_earlier(result):
    texts = [note.text for note in scrap_pareto(result.scrap).layout.annotations]
    assert sum(text.startswith("found after") for text in texts) == 1
    assert trace_total(scrap_pareto(result.scrap)) == pytest.approx(
        result.scrap["rate [1/h]"].sum(), rel=1e-3
    )


def trace_total(figure):
    return sum(figure.data[0].x)


def test_energy_of_every_consumer_is_drawn(result):
    figure = energy_bars(result.energy)
    for name in ("electricity", "heat"):
        drawn = [value or 0.0 for value in trace(figure, name).x]
        np.testing.assert_allclose(drawn, result.energy[f"{name} [kWh/h]"].to_numpy(), atol=1e-4)


def test_forest_is_in_percent_of_the_base():
    table = pl.DataFrame(
        {
            "scenario": ["faster", "faster"],
            "kpi": ["throughput_rate", "lead_time_mean"],
            "unit": ["1/h", "s"],
            "base": [200.0, 0.0],
            "mean": [210.0, 5.0],
            "difference": [10.0, 5.0],
            "difference_low": [8.0, 4.0],
            "difference_high": [12.0, 6.0],
            "verdict": ["better", "worse"],
        }
    )
    figure = forest(table)
    (shown,) = figure.data
    assert shown.name == "better"
    assert list(shown.x) == [pytest.approx(5.0)]
    assert list(shown.error_x.array) == [pytest.approx(1.0)]
