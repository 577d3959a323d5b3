"""Public logs and what is known of them; the expected numbers come with the data sets."""

import polars as pl
import pytest

from gigatwin.events.case_log import read_case_log
from gigatwin.events.log_files import read_table
from gigatwin.events.state_guesses import sniff
from gigatwin.events.state_log import read_state_log
from gigatwin.events.state_mapping import StateMapping


@pytest.fixture
def file(shared_data):
    def found(name):
        path = shared_data / name
        if not path.exists():
            pytest.skip(f"Data absent: {path}; set GIGATWIN_DATA.")
        return path

    return found


def test_bicycle_factory(file):
    path = file("ofact-bicycle-log/executions.csv")
    log = read_case_log(path)
    visits = log.activities.with_columns(length=pl.col("end") - pl.col("start"))
    assert sniff(path) == "cases"
    assert (log.visits.height, log.n_cases, log.visits["machine"].n_unique()) == (879, 20, 16)
    assert log.visits["success"].all()
    is_transport = pl.col("activity") == "main_part_transport_p"
    transports = visits.filter(is_transport)
    assert transports.height == 356
    assert transports["length"].min() == 20.0
    assert transports["length"].max() == 45.0
    named = log.visits.filter(is_transport)
    assert named["origin"].null_count() == named["destination"].null_count() == 0
    others = visits.filter(~pl.col("activity").str.contains("transport"))
    assert others.group_by("activity").agg(pl.col("length").n_unique())["length"].max() == 1
    assert log.visits["parts"].drop_nulls().str.contains(";").any()
    assert log.visits["end"].max() == 3 * 3600 + 52 * 60 + 6


@pytest.mark.parametrize(
    ("name", "cases", "rows"),
    [
        ("LoanApp_simplified_train", 1000, 7544),
        ("LoanApp_simplified_test", 1000, 7495),
        ("PurchasingExample", 608, 9119),
    ],
)
def test_office_logs(file, name, cases, rows):
    log = read_case_log(file(f"bps-logs/{name}.csv.gz"))
    assert (log.n_cases, log.activities.height, log.warnings) == (cases, rows, ())
    if "LoanApp" in name:
        waits = log.visits["start"] - log.visits["enabled"]
        assert waits.min() >= 0.0


def test_smart_factory(file):
    log = read_case_log(file("smart-factory-event-log/smart_factory_event_log.csv"))
    assert (log.n_cases, log.visits.height, log.activities.height) == (240, 2798, 2798)
    assert log.visits.columns[-1] == "row"


def test_energy_of_a_line(file):
    path = file("mes-energy-line/mes_energy_line.csv")
    assert sniff(path) == "states"
    log = read_state_log(path)
    assert log.intervals.height == 19
    assert dict(log.intervals["native"].value_counts().iter_rows()) == {
        "Working": 7,
        "Idle": 6,
        "Stopped": 6,
    }
    assert log.intervals["energy"].null_count() == 19
    mapping = log.mapping.model_copy(update={"energy_unit": "Wh"})
    known = read_state_log(path, StateMapping.model_validate(mapping)).intervals
    washing = known.filter(machine="Washing machine", native="Working")
    assert washing.select("end", "energy").row(0) == (12 * 60 + 50.0, 493.36 * 3600)


def test_raw_day_of_a_machine_tool(file):
    path = file("nist-sms-testbed/Mazak01-20170203-20170204.raw.txt")
    table = read_table(path)
    assert sniff(path) == "shdr"
    assert table.height == len(path.read_text(encoding="utf-8").splitlines())
    faults = table.filter(pl.col("value").str.starts_with("Fault"))["value"].to_list()
    assert faults == ["Fault|148|||CHUCK BARRIER"]
    log = read_state_log(path)
    assert log.intervals["machine"].unique().to_list() == ["Mazak01"]
    assert {"executing", "micro_stop", "starved"} <= set(log.intervals["state"])


def test_years_of_a_machine_tool_are_never_measured_across_a_gap(file):
    path = file("nist-sms-testbed/Mazak01-events.csv")
    log = read_state_log(path, coverage=file("nist-sms-testbed/coverage.csv"))
    assert read_table(path).height == 117126
    gone = pl.read_csv(path).filter(item="execution", value="UNAVAILABLE")["timestamp"]
    lost = gone.str.to_datetime(time_zone="UTC").dt.replace_time_zone(None)
    assert len(lost) == 2938
    origin = log.origin.replace(tzinfo=None)
    inside = log.intervals.select(
        start=origin + pl.duration(microseconds=(pl.col("start") * 1e6).round().cast(pl.Int64)),
        end=origin + pl.duration(microseconds=(pl.col("end") * 1e6).round().cast(pl.Int64)),
    )
    marks = pl.DataFrame({"lost": lost.sort().cast(pl.Datetime("us"))})
    crossed = inside.sort("start").join_asof(
        marks, left_on="start", right_on="lost", strategy="forward"
    )
    assert crossed.filter(pl.col("lost") < pl.col("end")).is_empty()
    active = log.intervals.filter(native="ACTIVE", is_cut=False)
    interrupted = log.intervals.filter(native="INTERRUPTED", is_cut=False)
    medians = [(part["end"] - part["start"]).median() for part in (active, interrupted)]
    # The data set's own figures: about 30 s and 4-6 s.
    assert 25.0 < medians[0] < 45.0
    assert 3.5 < medians[1] < 6.5
