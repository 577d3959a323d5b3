"""The flow of lines whose stations and ways are known."""

import csv
from collections import Counter, defaultdict

import numpy as np
import polars as pl
import pytest

from gigatwin.events.case_log import read_case_log
from gigatwin.learning.flow.moves import without_transports
from gigatwin.learning.flow.topology import Flow, discover
from tests.unit.learning.made_visits import drawn_paths, visits_of_paths

SERIAL = {"saw": 8.0, "mill": 9.0, "wash": 7.0, "pack": 6.0}


def targets(flow: Flow) -> dict[str, set[str]]:
    return {source: set(ways) for source, ways in flow.arcs.items() if ways}


def serial(n=200, **options):
    return visits_of_paths([tuple(SERIAL)] * n, SERIAL, **options)


def test_serial_line_is_found_in_its_order():
    flow = discover(serial())
    assert list(flow.stations) == ["saw", "mill", "wash", "pack"]
    assert flow.arcs == {
        "in": {"saw": 200},
        "saw": {"mill": 200},
        "mill": {"wash": 200},
        "wash": {"pack": 200},
        "pack": {"out": 200},
    }
    assert flow.components == (("saw", "mill", "wash", "pack"),)
    assert (flow.rework, flow.scrap, flow.dropped, flow.joins, flow.notes) == (
        set(),
        {},
        (),
        {},
        (),
    )
    assert all(station.n_servers == 1 for station in flow.stations.values())


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_cases_are_enough_for_a_line(n):
    flow = discover(serial(n))
    assert [list(ways.values()) for ways in flow.arcs.values()] == [[n]] * 5


def test_log_without_visits_has_no_stations():
    assert discover(serial(1).clear()).stations == {}


def test_split_and_merge_are_counted():
    paths = drawn_paths(600, 2, {("a", "b", "d"): 0.7, ("a", "c", "d"): 0.3})
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 9.0, "c": 15.0, "d": 8.0}))
    assert flow.arcs["a"] == Counter(path[1] for path in paths)
    assert targets(flow)["b"] == targets(flow)["c"] == {"d"}
    assert next(iter(flow.stations)) == "a"
    assert list(flow.stations)[-1] == "d"


def test_machines_of_one_activity_are_one_station():
    flow = discover(
        visits_of_paths([("a", "b", "c")] * 300, {"a": 8.0, "b": 25.0, "c": 8.0}, {"b": 3})
    )
    station = flow.stations["b"]
    assert station.machines == ("b#1", "b#2", "b#3")
    assert (station.n_machines, station.n_servers) == (3, 3)
    assert targets(flow) == {"in": {"a"}, "a": {"b"}, "b": {"c"}, "c": {"out"}}


def test_machines_without_activities_are_one_station_if_they_are_alike():
    visits = visits_of_paths([("a", "b", "c")] * 300, {"a": 8.0, "b": 18.0, "c": 8.0}, {"b": 2})
    flow = discover(visits.with_columns(activity="machine"))
    assert flow.stations["b"].machines == ("b#1", "b#2")
    assert "parallel machines" in flow.notes[0]


def test_branches_without_activities_are_two_stations_if_their_times_differ():
    paths = drawn_paths(400, 3, {("a", "b", "d"): 0.5, ("a", "c", "d"): 0.5})
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 11.0, "c": 15.0, "d": 8.0}))
    assert set(flow.stations) == {"a", "b", "c", "d"}


def test_branches_with_queues_of_their_own_are_two_stations_though_their_times_are_alike():
    paths = drawn_paths(400, 3, {("a", "b", "d"): 0.5, ("a", "c", "d"): 0.5})
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 19.0, "c": 19.0, "d": 8.0}))
    assert set(flow.stations) == {"a", "b", "c", "d"}


def test_machines_of_one_activity_that_differ_in_time_are_kept_apart():
    paths = drawn_paths(400, 3, {("a", "b"): 0.5, ("a", "c"): 0.5})
    visits = visits_of_paths(paths, {"a": 8.0, "b": 12.0, "c": 18.0})
    visits = visits.with_columns(
        activity=pl.when(pl.col("activity") == "a").then("activity").otherwise(pl.lit("press"))
    )
    flow = discover(visits)
    assert set(flow.stations) == {"a", "b-press", "c-press"}
    assert any("take different times" in note for note in flow.notes)


def test_machines_of_one_activity_with_lanes_of_their_own_are_kept_apart():
    paths = [("a", "b", "d"), ("f", "c", "e")] * 200
    visits = visits_of_paths(paths, {"a": 8.0, "f": 8.0, "b": 9.0, "c": 9.0, "d": 7.0, "e": 7.0})
    visits = visits.with_columns(
        activity=pl.when(pl.col("activity").is_in(["b", "c"]))
        .then(pl.lit("press"))
        .otherwise("activity")
    )
    flow = discover(visits)
    assert {"b-press", "c-press"} <= set(flow.stations)
    assert any("own way of items" in note for note in flow.notes)


def test_rework_is_a_way_back():
    loops = {("a", "check", "pack"): 0.85, ("a", "check", "mend", "check", "pack"): 0.15}
    paths = drawn_paths(500, 5, loops)
    flow = discover(visits_of_paths(paths, {"a": 8.0, "check": 7.0, "mend": 20.0, "pack": 5.0}))
    n = sum("mend" in path for path in paths)
    assert flow.rework == {("mend", "check")}
    assert flow.arcs["check"] == {"pack": 500, "mend": n}
    assert list(flow.stations)[:3] == ["a", "check", "mend"]


def test_repeated_step_is_a_way_back_to_itself():
    paths = drawn_paths(300, 5, {("a", "b"): 0.9, ("a", "a", "b"): 0.1})
    assert discover(visits_of_paths(paths, {"a": 8.0, "b": 7.0})).rework == {("a", "a")}


def test_cases_that_the_log_cuts_off_are_no_scrap():
    visits = serial(400)
    end = visits["start"].max()
    # Cut in the middle of the line, begins and ends alike.
    cut = visits.filter((pl.col("start") > 0.3 * end) & (pl.col("start") < 0.8 * end))
    flow = discover(cut)
    assert targets(flow) == targets(discover(visits))
    assert flow.scrap == {}
    assert flow.n_inside > 0
    assert flow.n_in_process > 0


def test_second_entry_and_second_exit_of_a_line_are_kept():
    paths = drawn_paths(1000, 7, {("a", "b", "c"): 0.9, ("b", "c"): 0.05, ("a", "b"): 0.05})
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 9.0, "c": 7.0}))
    assert targets(flow)["in"] == {"a", "b"}
    assert targets(flow)["b"] == {"c", "out"}


def lost(visits, share, seed=1):
    random = np.random.default_rng(seed)
    keep = random.random((2, visits.height)) >= share
    return visits.with_columns(
        start=pl.when(pl.Series(keep[0])).then("start"),
        end=pl.when(pl.Series(keep[1])).then("end"),
    ).filter(pl.col("start").is_not_null() | pl.col("end").is_not_null())


LOSSY = {("a", "b", "c", "d"): 0.96, ("a", "c", "d"): 0.02, ("a", "b"): 0.02}
TIMES = {"a": 8.0, "b": 9.0, "c": 8.5, "d": 7.0}


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_lost_events_make_no_ways_and_hide_none(share):
    visits = lost(visits_of_paths(drawn_paths(3000, 8, LOSSY), TIMES), share)
    flow = discover(visits)
    truth = {"in": {"a"}, "a": {"b", "c"}, "b": {"c", "out"}, "c": {"d"}, "d": {"out"}}
    assert targets(flow) == truth
    assert flow.loss.events == pytest.approx(share, rel=0.15)


def test_lost_visits_make_no_ways_and_hide_none():
    visits = visits_of_paths(drawn_paths(3000, 8, LOSSY), TIMES)
    kept = visits.filter(pl.Series(np.random.default_rng(4).random(visits.height) >= 0.005))
    flow = discover(kept)
    truth = {"in": {"a"}, "a": {"b", "c"}, "b": {"c", "out"}, "c": {"d"}, "d": {"out"}}
    assert targets(flow) == truth
    assert {(arc.source, arc.target) for arc in flow.dropped} >= {("in", "b"), ("b", "d")}
    assert any("taken for lost or turned events" in note for note in flow.notes)
    assert flow.loss.visits == pytest.approx(0.005, rel=0.4)


def test_single_way_past_a_station_is_no_loss():
    paths = drawn_paths(2000, 9, {("a", "b", "c"): 0.99, ("a", "c"): 0.01})
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 9.0, "c": 7.0}))
    assert targets(flow)["a"] == {"b", "c"}


def test_copied_visits_change_nothing():
    visits = serial()
    flow = discover(pl.concat([visits, visits.sample(20, seed=1)]))
    assert flow.arcs == discover(visits).arcs
    assert flow.notes == ("20 copies of visits are left out.",)


def test_shuffled_rows_change_nothing():
    visits = serial()
    assert discover(visits.sample(fraction=1.0, shuffle=True, seed=3)) == discover(visits)


def test_jitter_that_turns_scans_round_changes_no_way():
    visits = visits_of_paths([("a", "scan", "b")] * 400, {"a": 8.0, "scan": 0.02, "b": 9.0})
    random = np.random.default_rng(1)
    shifts = [pl.Series(random.normal(0.0, 0.02, visits.height)) for _ in range(2)]
    moved = visits.with_columns(start=pl.col("start") + shifts[0], end=pl.col("end") + shifts[1])
    flow = discover(moved)
    assert targets(flow) == {"in": {"a"}, "a": {"scan"}, "scan": {"b"}, "b": {"out"}}
    assert flow.loss.n_swapped > 0


def test_clocks_that_differ_by_half_a_second_change_nothing():
    shift = {"saw": 0.5, "mill": -0.5, "wash": 0.3, "pack": -0.2}
    offset = pl.col("activity").replace_strict(shift, return_dtype=pl.Float64)
    visits = serial()
    flow = discover(visits.with_columns(start=pl.col("start") + offset, end=pl.col("end") + offset))
    assert flow.arcs == discover(visits).arcs
    assert all(station.n_servers == 1 for station in flow.stations.values())


@pytest.mark.parametrize("missing", ["start", "end"])
def test_log_with_one_event_for_each_visit_shows_the_ways(missing):
    visits = serial().with_columns(pl.lit(None, dtype=pl.Float64).alias(missing))
    flow = discover(visits)
    assert flow.arcs == discover(serial()).arcs
    assert flow.loss.events == 0.0


def test_visits_without_case_or_time_are_left_out():
    visits = serial(20)
    broken = visits.head(2).with_columns(start=pl.lit(None, dtype=pl.Float64), end=float("nan"))
    flow = discover(pl.concat([visits, broken]))
    assert flow.arcs == discover(visits).arcs
    assert flow.notes[0].startswith("2 visits without any time")


def test_machine_that_is_not_named_is_its_activity():
    visits = serial(20).with_columns(machine=pl.lit(None, dtype=pl.String))
    flow = discover(visits)
    assert list(flow.stations) == list(SERIAL)
    assert flow.station_of(visits)["station"].to_list() == visits["activity"].to_list()


def test_named_parts_join_two_streams():
    frames = visits_of_paths([("weld", "paint")] * 100, {"weld": 9.0, "paint": 8.0}, names="frame")
    bikes = visits_of_paths([("join", "pack")] * 100, {"join": 9.0, "pack": 5.0}, names="bike")
    bikes = bikes.with_columns(pl.col("start", "end") + 40.0)
    parts = pl.when(pl.col("activity") == "join").then(pl.col("case").str.replace("bike", "frame"))
    log = pl.concat(
        [frames.with_columns(parts=pl.lit(None, dtype=pl.String)), bikes.with_columns(parts=parts)]
    )
    flow = discover(log)
    (join,) = flow.joins["join"]
    assert (join.source, join.n, join.basis) == ("paint", 100, "recorded")
    assert flow.arcs["paint"] == {"join": 100}
    assert flow.arcs["in"] == {"weld": 100}
    assert flow.stations["join"].kind == "assembly"
    assert len(flow.components) == 1
    assert list(flow.stations) == ["weld", "paint", "join", "pack"]


def assembly_line(n=300):
    """Two lines of which the slower one keeps the station of the other waiting."""
    random = np.random.default_rng(3)
    feed = np.cumsum(random.gamma(25.0, 0.4, n))
    body = np.cumsum(random.gamma(25.0, 0.36, n))
    rows, free, ready = [], 0.0, 0.0
    for k in range(n):
        start = max(feed[k], body[k], free)
        free = start + random.uniform(6.0, 8.0)
        ready = max(free, ready) + 5.0
        rows += [
            (f"part{k}", "cast", feed[k] - 5.0, feed[k]),
            (f"body{k}", "cut", body[k] - 5.0, body[k]),
            (f"body{k}", "join", start, free),
            (f"body{k}", "pack", ready - 5.0, ready),
        ]
    table = pl.DataFrame(rows, schema=["case", "activity", "start", "end"], orient="row")
    return table.with_columns(machine="activity").sort("start")


def test_stream_that_ends_where_another_begins_is_assumed_to_be_joined():
    flow = discover(assembly_line())
    (join,) = flow.joins["join"]
    assert (join.source, join.basis) == ("cast", "assumed")
    assert flow.arcs["cast"] == {"join": 300}
    assert any(note.startswith("cast is assumed to feed join") for note in flow.notes)
    assert len(flow.components) == 1


def test_two_lines_without_a_link_are_not_joined():
    one = serial(300)
    two = visits_of_paths([("x", "y")] * 300, {"x": 9.0, "y": 8.0}, names="other", seed=2)
    flow = discover(pl.concat([one, two]))
    assert flow.joins == {}
    assert sorted(flow.components) == [("saw", "mill", "wash", "pack"), ("x", "y")]
    assert any("2 lines without a link" in note for note in flow.notes)


def test_equals_that_share_activities_are_a_pool():
    random = np.random.default_rng(1)
    rows, free = [], dict.fromkeys(["clerk-1", "clerk-2", "clerk-3"], 0.0)
    for k in range(400):
        time = 10.0 * k
        for activity in ("check", "assess", "answer"):
            clerk = min(free, key=lambda name: free[name])
            start = max(time, free[clerk])
            time = free[clerk] = start + float(random.uniform(5.0, 9.0))
            rows.append((f"c{k}", activity, clerk, start, time))
    visits = pl.DataFrame(
        rows, schema=["case", "activity", "machine", "start", "end"], orient="row"
    )
    flow = discover(visits)
    assert flow.pools == {"clerk": ("clerk-1", "clerk-2", "clerk-3")}
    assert {station.pool for station in flow.stations.values()} == {"clerk"}
    assert list(flow.stations) == ["check", "assess", "answer"]


def test_machine_with_several_activities_is_shared():
    visits = visits_of_paths(
        [("rough", "fine", "gauge")] * 100, {"rough": 5.0, "fine": 3.0, "gauge": 8.0}
    )
    mill = pl.when(pl.col("activity") == "gauge").then("activity").otherwise(pl.lit("mill"))
    flow = discover(visits.with_columns(machine=mill))
    assert {machine: set(names) for machine, names in flow.shared.items()} == {
        "mill": {"mill-rough", "mill-fine"}
    }
    assert list(flow.stations) == ["mill-rough", "mill-fine", "gauge"]


def test_items_that_begin_together_are_a_batch():
    visits = serial(120)
    oven = visits.filter(pl.col("activity") == "pack").with_row_index("k")
    oven = oven.with_columns(k=pl.col("k") // 6).with_columns(
        start=pl.col("end").max().over("k") + 1.0, activity=pl.lit("oven"), machine=pl.lit("oven")
    )
    oven = oven.with_columns(end=pl.col("start") + 50.0).drop("k")
    flow = discover(pl.concat([visits, oven]))
    assert (flow.stations["oven"].kind, flow.stations["oven"].batch_size) == ("batch", 6)
    assert flow.stations["oven"].n_servers == 6


def test_way_that_alternates_is_said_to_depend_on_the_last():
    paths = [("a", "b", "d"), ("a", "c", "d")] * 150
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 11.0, "c": 15.0, "d": 8.0}))
    assert flow.dependences["a"].p_value < 1e-6
    assert flow.dependences["a"].repeat_ratio == pytest.approx(0.0, abs=0.01)
    assert any("depends on where the one before went" in note for note in flow.notes)


def test_smart_factory_keeps_a_station_for_each_activity_of_a_machine(shared_data):
    path = shared_data / "smart-factory-event-log" / "smart_factory_event_log.csv"
    if not path.exists():
        pytest.skip(f"Data absent: {path}; set GIGATWIN_DATA.")
    log = read_case_log(path)
    flow = discover(log.visits)
    assert len(flow.stations) == 31
    assert len(flow.shared) == 9
    assert flow.pools == {}
    assert all(station.n_servers == 1 for station in flow.stations.values())
    sources = flow.station_of(log.visits)["station"]
    assert sources.null_count() == 0


def test_bicycle_factory_has_five_assembly_stations_and_a_warehouse(shared_data):
    """Ways are counted below row by row, without the package."""
    path = shared_data / "ofact-bicycle-log" / "executions.csv"
    if not path.exists():
        pytest.skip(f"Data absent: {path}; set GIGATWIN_DATA.")
    table = pl.read_csv(path, infer_schema=False)
    seconds = [
        pl.col(name).str.to_datetime().dt.epoch("ms").cast(pl.Float64) / 1000
        for name in ("Start Time", "End Time")
    ]
    visits, moves = without_transports(
        table.select(
            case="Order Identifier",
            activity="Process Name",
            machine="Main Resource",
            start=seconds[0],
            end=seconds[1],
            origin="Origin Resource",
            destination="Destination Resource",
        )
    )
    carried = moves.filter(pl.col("activity") == "main_part_transport_p")
    assert carried.height == 356
    assert set(carried["move"]) == {"carry"}
    lengths = carried["end"] - carried["start"]
    assert (lengths.min(), lengths.max()) == (20.0, 45.0)
    flow = discover(visits)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["Start Time"])
    last: dict[str, str] = {}
    for row in rows:
        origin, destination = row["Origin Resource"], row["Destination Resource"]
        if origin and destination and origin != destination:
            continue
        order, station = row["Order Identifier"], row["Main Resource"]
        counted[last.get(order, "in")][station] += 1
        last[order] = station
    for station in last.values():
        counted[station]["out"] += 1
    assert {source: Counter(ways) for source, ways in flow.arcs.items()} == counted
    assert len(flow.stations) == 6
    assert flow.arcs["main_warehouse_w"] == {"out": 20}
    assert all(station.n_servers == 1 for station in flow.stations.values())


def test_loan_applications_show_their_pools(shared_data):
    path = shared_data / "bps-logs" / "LoanApp_simplified_train.csv.gz"
    if not path.exists():
        pytest.skip(f"Data absent: {path}; set GIGATWIN_DATA.")
    table = pl.read_csv(path, infer_schema=False)
    moments = [
        pl.col(name).str.to_datetime(time_zone="UTC").dt.epoch("ms") / 1000
        for name in ("start_time", "end_time")
    ]
    flow = discover(
        table.select(
            case="case_id",
            activity="activity",
            machine="resource",
            start=moments[0],
            end=moments[1],
        )
    )
    assert {pool: len(resources) for pool, resources in flow.pools.items()} == {
        "Clerk": 8,
        "Loan_Officer": 4,
    }
    assert len(flow.stations) == table["activity"].n_unique() == 12
    assert flow.stations["AML_check"].n_machines == 2


@pytest.mark.parametrize("seed", range(60))
def test_any_visits_give_a_flow_that_holds_together(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 80))
    times = np.floor(10.0 * random.random(n)) if seed % 2 else 50.0 * random.random(n)
    ends = times + random.choice([0.0, 0.0, 1.0, 3.0], n)
    visits = pl.DataFrame(
        {
            "case": [f"c{k}" for k in random.integers(0, max(1, n // 3), n)],
            "activity": [f"a{k}" for k in random.integers(0, 5, n)],
            "machine": [None if k == 0 else f"m{k}" for k in random.integers(0, 4, n)],
            "start": [None if random.random() < 0.2 else float(time) for time in times],
            "end": [None if random.random() < 0.2 else float(time) for time in ends],
        },
        schema_overrides={"machine": pl.String, "start": pl.Float64, "end": pl.Float64},
    )
    flow = discover(visits)
    assert {name for line in flow.components for name in line} == set(flow.stations)
    ends_of_ways = {name for edge in flow.edges for name in edge}
    assert ends_of_ways <= {"in", "out", *flow.stations}
    known = visits.filter(pl.col("start").is_not_null() | pl.col("end").is_not_null())
    assert flow.station_of(known)["station"].null_count() == 0
