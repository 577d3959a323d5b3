"""States of machines from tables, from MTConnect items and from our own records."""

from datetime import UTC, datetime

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.state_log import read_state_log, states_of
from gigatwin.events.state_mapping import STATE_WORDS, StateMapping

TABLE = """station,begin,end,status,energy,order
press,0,10,Running,5,A
press,10,14,Jam,,A
press,14,20,Idle,1,B
oven,0,20,gestört,2,B
"""
DAY = "2024-05-01T08:00:"


def written(folder, text, name="Mill-2024.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def changes(folder, *rows):
    lines = [f"{time if 'T' in time else DAY + time + 'Z'},{rest}" for time, rest in rows]
    return written(folder, "\n".join(["timestamp,item,value", *lines, ""]))


def stays(log):
    return log.intervals.select("start", "end", "state", "is_cut").rows()


def test_intervals_have_states_and_strange_words_are_told(tmp_path):
    log = read_state_log(written(tmp_path, TABLE))
    assert log.intervals.select("machine", "start", "end", "state", "native", "case").rows() == [
        ("press", 0.0, 10.0, "executing", "Running", "A"),
        ("press", 10.0, 14.0, "micro_stop", "Jam", "A"),
        ("press", 14.0, 20.0, "starved", "Idle", "B"),
    ]
    assert log.intervals["energy"].null_count() == 3
    assert "the unit of the energy is not known" in log.warnings[1]
    assert log.warnings[0] == (
        "1 row left out, whose state is not known: 'gestört'; name them under 'words' in a mapping"
    )
    assert [note for note in log.guesses if note.startswith("'")] == [
        "'Idle': the machine waits and the log does not say for what; taken as starved"
    ]


def test_mapping_gives_words_and_the_unit_of_energy(tmp_path):
    mapping = StateMapping(
        machine="station",
        start="begin",
        end="end",
        state="status",
        energy="energy",
        energy_unit="kWh",
        words={"gestört": "breakdown", "Idle": "no_order"},
    )
    log = read_state_log(written(tmp_path, TABLE), mapping)
    assert log.intervals.select("state", "energy").rows() == [
        ("breakdown", 2 * 3.6e6),
        ("executing", 5 * 3.6e6),
        ("micro_stop", None),
        ("no_order", 3.6e6),
    ]
    assert log.guesses == ()
    assert log.warnings == ()


def test_changes_last_until_the_next_of_the_same_machine(tmp_path):
    text = "machine,time,state\na,0,running\nb,2,idle\na,5,down\na,9,unknown\nb,12,running\n"
    log = read_state_log(written(tmp_path, text))
    assert log.intervals.select("machine", "start", "end", "state", "is_cut").rows() == [
        ("a", 0.0, 5.0, "executing", False),
        ("a", 5.0, 9.0, "breakdown", False),
        ("b", 2.0, 12.0, "starved", False),
    ]


@pytest.mark.parametrize(
    ("text", "mapping", "found"),
    [
        ("machine,start,end\na,0,1\n", None, "no column found for state"),
        ("machine,start,end,state\na,0,1,hm\n", None, "'hm', none of which is a known state"),
        (
            "machine,start,end,state\na,0,1,hm\n",
            {"words": {"hm": "happy"}},
            "'hm' to 'happy', which is no state",
        ),
        (
            "machine,start,end,state,e\na,0,1,run,lots\n",
            {"energy": "e", "energy_unit": "J"},
            "row 2 column 'e': 'lots' is not a number",
        ),
        ("machine,start,end,state\na,5,1,run\n", None, "no row has an end"),
    ],
)
def test_faulty_tables_are_told(tmp_path, text, mapping, found):
    given = mapping and StateMapping(
        machine="machine", start="start", end="end", state="state", **mapping
    )
    with pytest.raises(TelemetryError) as caught:
        read_state_log(written(tmp_path, text), given)
    assert found in str(caught.value)


def test_execution_is_never_measured_across_unavailable(tmp_path):
    log = read_state_log(
        changes(
            tmp_path,
            ("00", "execution,READY"),
            ("10", "execution,ACTIVE"),
            ("15", "execution,UNAVAILABLE"),
            ("40", "execution,ACTIVE"),
            ("50", "execution,INTERRUPTED"),
            ("52", "execution,ACTIVE"),
            ("55", "mode,AUTOMATIC"),
        )
    )
    assert stays(log) == [
        (0.0, 10.0, "starved", True),
        (10.0, 15.0, "executing", True),
        (40.0, 50.0, "executing", True),
        (50.0, 52.0, "micro_stop", False),
        (52.0, 55.0, "executing", True),
    ]
    assert log.origin == datetime(2024, 5, 1, 8, 0, tzinfo=UTC)
    assert log.intervals["machine"].unique().to_list() == ["Mill"]


def test_emergency_stop_fault_and_manual_mode_decide(tmp_path):
    log = read_state_log(
        changes(
            tmp_path,
            ("00", "mode,MANUAL"),
            ("00", "estop,ARMED"),
            ("00", "execution,ACTIVE"),
            ("05", "mode,AUTOMATIC"),
            ("10", "system_cond,Fault|12|||JAM"),
            ("12", "execution,FEED_HOLD"),
            ("20", "system_cond,Normal||||"),
            ("30", "estop,TRIGGERED"),
            ("40", "estop,ARMED"),
            ("41", "avail,UNAVAILABLE"),
        )
    )
    assert log.intervals.select("start", "end", "state", "native").rows() == [
        (0.0, 5.0, "setup", "ACTIVE"),
        (5.0, 12.0, "executing", "ACTIVE"),
        (12.0, 20.0, "breakdown", "FAULT"),
        (20.0, 30.0, "micro_stop", "FEED_HOLD"),
        (30.0, 40.0, "breakdown", "TRIGGERED"),
        (40.0, 41.0, "micro_stop", "FEED_HOLD"),
    ]


def test_unreachable_machine_has_no_state(tmp_path):
    log = read_state_log(
        changes(
            tmp_path,
            ("00", "avail,AVAILABLE"),
            ("00", "execution,ACTIVE"),
            ("05", "avail,UNAVAILABLE"),
            ("20", "avail,AVAILABLE"),
            ("25", "execution,READY"),
        )
    )
    assert stays(log) == [(0.0, 5.0, "executing", True), (20.0, 25.0, "executing", True)]


@pytest.fixture
def three_days(tmp_path):
    return changes(
        tmp_path,
        ("2024-05-01T20:00:00Z", "execution,ACTIVE"),
        ("2024-05-01T22:00:00Z", "mode,AUTOMATIC"),
        ("2024-05-03T10:00:00Z", "mode,MANUAL"),
        ("2024-05-03T12:00:00Z", "execution,READY"),
        ("2024-05-03T13:00:00Z", "execution,STOPPED"),
    )


def test_day_without_any_row_is_a_gap(three_days):
    hour = 3600.0
    assert stays(read_state_log(three_days)) == [
        (0.0, 4 * hour, "executing", True),
        (40 * hour, 41 * hour, "starved", True),
    ]


def test_longest_silence_makes_gaps(three_days):
    hour = 3600.0
    assert stays(read_state_log(three_days, coverage=3 * hour)) == [
        (0.0, 2 * hour, "executing", True),
        (40 * hour, 41 * hour, "starved", True),
    ]
    first = stays(read_state_log(three_days, coverage=50 * hour))[0]
    assert first == (0.0, 38 * hour, "executing", True)


def test_table_of_daily_files_makes_gaps(tmp_path, three_days):
    table = (
        "file,present\nm-20240501-20240502.txt,1\nm-20240502-20240503.txt,{}\n"
        "m-20240503-20240504.txt,1\n"
    )
    first = {
        flag: stays(
            read_state_log(
                three_days, coverage=written(tmp_path, table.format(flag), f"{flag}.csv")
            )
        )[0][1]
        for flag in (0, 1)
    }
    assert first == {0: 4 * 3600.0, 1: 38 * 3600.0}


def test_own_records_give_the_states_of_each_machine():
    rows = [
        (0.0, "m", "START", "EXECUTING"),
        (2.0, "m", "LEAVE", "STARVED"),
        (2.0, "m", "START", "EXECUTING"),
        (2.5, "n", "START", "EXECUTING"),
        (3.0, "m", "STOP", "BREAKDOWN"),
        (5.0, "m", "STOP", "BREAKDOWN"),
        (6.0, "m", "RESUME", "EXECUTING"),
        (8.0, "m", "LEAVE", "STARVED"),
        (9.0, "n", "LEAVE", "STARVED"),
    ]
    events = pl.DataFrame(rows, schema=["time", "machine", "kind", "state"], orient="row")
    log = states_of(events)
    assert log.intervals.select("machine", "start", "end", "state", "is_cut").rows() == [
        ("m", 0.0, 3.0, "executing", False),
        ("m", 3.0, 5.0, "breakdown", False),
        ("m", 5.0, 6.0, "breakdown", False),
        ("m", 6.0, 8.0, "executing", False),
        ("m", 8.0, 9.0, "starved", True),
        ("n", 2.5, 9.0, "executing", True),
    ]


def test_usual_words_are_plain():
    assert all(word == word.lower().strip() and " " not in word for word in STATE_WORDS)
