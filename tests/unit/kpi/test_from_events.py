import numpy as np
import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.kpi.from_events import active_intervals, processed_counts, state_durations
from gigatwin.standards.machine_states import MachineState

MACHINES = ("winder_1", "winder_2")
INITIAL = dict.fromkeys(MACHINES, MachineState.STARVED)


def _log(*rows):
    return pl.DataFrame(
        rows,
        schema={"time": pl.Float64, "machine": pl.String, "kind": pl.String, "state": pl.String},
        orient="row",
    )


LOG = _log(
    (0.0, None, "ARRIVE", None),
    (0.0, "winder_1", "START", "EXECUTING"),
    (10.0, "winder_1", "LEAVE", "STARVED"),
    (10.0, "winder_1", "START", "EXECUTING"),
    (12.0, "winder_2", "START", "EXECUTING"),
    (14.0, "winder_1", "STOP", "BREAKDOWN"),
    (17.0, "winder_1", "RESUME", "EXECUTING"),
    (22.0, "winder_2", "BLOCK", "BLOCKED"),
    (23.0, "winder_1", "LEAVE", "STARVED"),
    (25.0, "winder_2", "LEAVE", "STARVED"),
    (26.0, "elsewhere", "LEAVE", "STARVED"),
)


def _table(frame):
    return {
        (machine, state): (seconds, entries)
        for machine, state, seconds, entries in frame.iter_rows()
        if seconds or entries
    }


def test_durations_of_a_log_written_by_hand():
    found = state_durations(LOG, MACHINES, 0.0, 30.0, INITIAL)
    assert found.columns == ["machine", "state", "seconds", "entries"]
    # winder_1 executes 0-10, 10-14 and 17-23; the wait at 10 has no length but is an entry.
    assert _table(found) == {
        ("winder_1", "EXECUTING"): (20.0, 2),
        ("winder_1", "BREAKDOWN"): (3.0, 1),
        ("winder_1", "STARVED"): (7.0, 2),
        ("winder_2", "STARVED"): (17.0, 1),
        ("winder_2", "EXECUTING"): (10.0, 1),
        ("winder_2", "BLOCKED"): (3.0, 1),
    }


def test_every_machine_has_a_row_for_every_state():
    found = state_durations(LOG, MACHINES, 0.0, 30.0, INITIAL)
    assert found.select("machine", "state").rows() == [
        (machine, state.name) for machine in MACHINES for state in MachineState
    ]


def test_window_begins_in_the_state_of_the_last_event_before_it():
    found = state_durations(LOG, MACHINES, 15.0, 24.0, INITIAL)
    assert _table(found) == {
        ("winder_1", "BREAKDOWN"): (2.0, 0),
        ("winder_1", "EXECUTING"): (6.0, 1),
        ("winder_1", "STARVED"): (1.0, 1),
        ("winder_2", "EXECUTING"): (7.0, 0),
        ("winder_2", "BLOCKED"): (2.0, 1),
    }


def test_events_at_the_begin_of_the_window_are_before_it():
    found = state_durations(LOG, MACHINES, 10.0, 16.0, INITIAL)
    assert _table(found) == {
        ("winder_1", "EXECUTING"): (4.0, 0),
        ("winder_1", "BREAKDOWN"): (2.0, 1),
        ("winder_2", "STARVED"): (2.0, 0),
        ("winder_2", "EXECUTING"): (4.0, 1),
    }


def test_event_before_the_window_goes_before_the_given_initial_state():
    wrong = dict.fromkeys(MACHINES, MachineState.SETUP)
    found = state_durations(LOG, MACHINES, 15.0, 24.0, wrong)
    assert found.equals(state_durations(LOG, MACHINES, 15.0, 24.0))


def test_machine_without_events_stays_in_its_initial_state():
    found = state_durations(LOG, ["idle"], 5.0, 9.0, {"idle": MachineState.NO_ORDER})
    assert _table(found) == {("idle", "NO_ORDER"): (4.0, 0)}


def test_unknown_state_at_the_begin_is_refused_with_the_machine():
    with pytest.raises(TelemetryError, match="machines winder_2: no event up to 5 s"):
        state_durations(LOG, MACHINES, 5.0, 30.0)


def test_unknown_state_name_is_refused():
    log = _log((0.0, "winder_1", "START", "RUNNING"))
    with pytest.raises(TelemetryError, match="column state: found RUNNING; must be one of STARVED"):
        state_durations(log, MACHINES, 0.0, 30.0, INITIAL)


def test_row_without_a_time_is_refused():
    log = _log((float("nan"), "winder_1", "START", "EXECUTING"))
    with pytest.raises(TelemetryError, match="column time: 1 rows without a time"):
        state_durations(log, MACHINES, 0.0, 30.0, INITIAL)


def test_window_that_ends_before_it_begins_is_refused():
    with pytest.raises(TelemetryError, match="the end must be after the begin"):
        state_durations(LOG, MACHINES, 30.0, 0.0, INITIAL)


def test_disorder_in_the_log_changes_nothing_for_different_times():
    rows = LOG.filter(pl.col("time") != 10.0)
    turned = rows.reverse()
    assert state_durations(turned, MACHINES, 0.0, 30.0, INITIAL).equals(
        state_durations(rows, MACHINES, 0.0, 30.0, INITIAL)
    )


def test_enum_and_text_columns_give_the_same():
    states = pl.Enum([state.name for state in MachineState])
    typed = LOG.with_columns(
        pl.col("state").cast(states),
        pl.col("machine").cast(pl.Enum(["elsewhere", "winder_2", "winder_1"])),
    )
    assert state_durations(typed, MACHINES, 0.0, 30.0, INITIAL).equals(
        state_durations(LOG, MACHINES, 0.0, 30.0, INITIAL)
    )
    assert processed_counts(typed, MACHINES, 0.0, 30.0).equals(
        processed_counts(LOG, MACHINES, 0.0, 30.0)
    )


def test_times_in_states_add_up_to_the_window_and_windows_add_up():
    generator = np.random.default_rng(2)
    n = 5000
    names = [f"m{i}" for i in range(7)]
    log = pl.DataFrame(
        {
            "time": np.sort(generator.uniform(0.0, 1000.0, n)),
            "machine": generator.choice(names, n),
            "kind": ["START"] * n,
            "state": generator.choice([state.name for state in MachineState], n),
        }
    )
    initial = dict.fromkeys(names, MachineState.STARVED)
    whole = state_durations(log, names, 0.0, 1000.0, initial)
    sums = whole.group_by("machine").agg(pl.col("seconds").sum())["seconds"].to_numpy()
    assert sums == pytest.approx(np.full(7, 1000.0), rel=1e-12)
    first = state_durations(log, names, 0.0, 400.0, initial)
    second = state_durations(log, names, 400.0, 1000.0)
    assert (first["seconds"] + second["seconds"]).to_numpy() == pytest.approx(
        whole["seconds"].to_numpy(), rel=1e-9, abs=1e-9
    )
    assert (first["entries"] + second["entries"]).to_list() == whole["entries"].to_list()


def test_active_interval_goes_on_through_a_breakdown_and_a_wait_of_no_length():
    found = active_intervals(LOG, MACHINES, 0.0, 30.0, INITIAL)
    assert found.rows() == [("winder_1", 0.0, 23.0), ("winder_2", 12.0, 22.0)]
    assert found.columns == ["machine", "begin", "end"]


def test_active_interval_is_cut_at_the_window():
    found = active_intervals(LOG, MACHINES, 5.0, 20.0, INITIAL)
    assert found.rows() == [("winder_1", 5.0, 20.0), ("winder_2", 12.0, 20.0)]


def test_active_intervals_of_neighbours_in_the_list_are_kept_apart():
    log = _log((0.0, "winder_1", "START", "EXECUTING"), (0.0, "winder_2", "START", "EXECUTING"))
    found = active_intervals(log, MACHINES, 0.0, 9.0)
    assert found.rows() == [("winder_1", 0.0, 9.0), ("winder_2", 0.0, 9.0)]


def test_machine_that_only_waits_has_no_active_interval():
    assert active_intervals(LOG, ["idle"], 0.0, 9.0, {"idle": MachineState.BLOCKED}).is_empty()


def test_processed_items_are_the_leave_events_of_each_machine():
    assert processed_counts(LOG, MACHINES, 0.0, 30.0).rows() == [("winder_1", 2), ("winder_2", 1)]


def test_item_that_leaves_at_the_end_of_the_window_counts_in_it_only():
    assert processed_counts(LOG, MACHINES, 0.0, 10.0).rows() == [("winder_1", 1), ("winder_2", 0)]
    assert processed_counts(LOG, MACHINES, 10.0, 30.0).rows() == [("winder_1", 1), ("winder_2", 1)]
