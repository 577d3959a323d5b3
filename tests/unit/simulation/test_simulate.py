import numpy as np
import polars as pl
import pytest

from gigatwin.compiler import compile_factory
from gigatwin.errors import DeadlockError, SimulationError, StudyError
from gigatwin.factory import load, read_text
from gigatwin.kpi.from_events import processed_counts, state_durations
from gigatwin.simulation import simulate
from gigatwin.simulation.run import Run
from gigatwin.simulation.tallies import tally
from gigatwin.standards.machine_states import MachineState

pytestmark = pytest.mark.compiled

BUSY = """
name: busy
formats: {A: {}, B: {}}
orders: [{format: A, quantity: 30}, {format: B, quantity: 100000}]
resources: {crew: {capacity: 1}}
stations:
  make:
    machines: 3
    time: {distribution: gamma, mean: 12 s, cv: 0.4}
    changeover: {time: 2 min, crew: {resource: crew}}
    stops:
      jam: {kind: micro_stop, every: 3 min, duration: {distribution: lognormal, mean: 20 s, cv: 1}}
      broken: {kind: breakdown, every: 1 h, duration: 5 min, crew: {resource: crew}}
  check:
    kind: inspection
    buffer: {capacity: 5}
    time: 3 s
    scrap: 2 %
  pack:
    buffer: {capacity: 5}
    time: 3.5 s
    stops: {clean: {kind: planned, every: 30 min, duration: 2 min}}
"""


def test_kpis_from_the_event_log_equal_those_from_the_tallies():
    factory = read_text(BUSY)
    result = simulate(factory, days=0.2, replications=1, seed=3, warm_up=0.0, trace=True)
    compiled = compile_factory(factory)
    run = Run(compiled, seed=3)
    run.advance(0.2 * 86400)
    empty = dict.fromkeys(compiled.machines, MachineState.STARVED)
    found = state_durations(result.events, compiled.machines, 0.0, 0.2 * 86400, empty)
    machine_of = {name: number for number, name in enumerate(compiled.machines)}
    seconds = np.zeros((len(machine_of), len(MachineState)))
    for row in found.iter_rows(named=True):
        seconds[machine_of[row["machine"]], MachineState[row["state"]]] = row["seconds"]
    counted = tally(compiled, run.state).state_seconds
    stations = compiled.model.machine_station
    for station in range(3):
        np.testing.assert_allclose(
            seconds[stations == station].sum(axis=0), counted[station], rtol=1e-9, atol=1e-9
        )
    counts = processed_counts(result.events, compiled.machines, 0.0, 0.2 * 86400)
    assert (
        counts["items"].sum()
        == tally(compiled, run.state).left.sum() + tally(compiled, run.state).scrapped.sum()
    )


def test_every_start_says_what_it_waited_for():
    events = simulate(read_text(BUSY), days=0.1, replications=1, warm_up=0.0, trace=True).events
    starts = events.filter(pl.col("kind") == "START")
    waited = set(starts["waited_for"].unique().to_list())
    assert {"MACHINE", "PART", "CHANGEOVER", "REPAIR"} <= waited
    leaves = events.filter((pl.col("kind") == "LEAVE") & (pl.col("waited_for") == "SPACE"))
    assert len(leaves)
    assert set(leaves["because"].unique()) <= {"check", "pack"}


def test_result_does_not_depend_on_the_number_of_threads():
    factory = load("two-machine")
    one = simulate(factory, days=0.05, replications=4, threads=1)
    two = simulate(factory, days=0.05, replications=4, threads=2)
    assert one.to_json() == two.to_json()


def test_precision_adds_replications_until_it_is_met():
    factory = load("two-machine")
    result = simulate(factory, days=0.02, replications=3, warm_up=60.0, precision=0.01)
    mean, low, high = result.total("throughput_rate")
    assert result.replications > 3
    assert (high - low) / 2 <= 0.0101 * mean


def test_interval_of_the_throughput_covers_the_exact_value():
    result = simulate(load("two-machine"), days=0.5, replications=10)
    _, low, high = result.total("throughput_rate")
    exact = 3600 * 5 / 6  # (b + 2) / (b + 3) with b = 3 places
    assert low - (high - low) < exact < high + (high - low)
    assert (high - low) / exact < 0.03


def test_deadlock_of_a_rework_loop_is_named():
    text = """
name: loop
stations:
  first: {time: 1 s}
  check:
    kind: inspection
    buffer: {capacity: 0}
    time: 1 s
    defects: {dent: 60 %}
    finds: {rework: mend}
    next: out
  mend: {time: 5 s, buffer: {capacity: 0}, repairs: all, next: check}
"""
    with pytest.raises(
        DeadlockError, match=r"deadlock at 9 s of simulated time: mend -> check -> mend"
    ):
        simulate(read_text(text), days=0.1, replications=2)


def test_a_factory_that_makes_nothing_is_an_error():
    text = """
name: idle
formats: {A: {}}
orders: [{format: A, quantity: 5, release: 30 d}]
stations: {only: {time: 1 s}}
"""
    with pytest.raises(SimulationError, match="nothing was made in 1 d"):
        simulate(read_text(text), days=1, replications=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"days": 0}, "days: 0; must be above 0"),
        ({"replications": 0}, "replications: 0"),
        (
            {"days": 1, "warm_up": 90000.0},
            "warm-up: 25 h; must be 0 s or more and shorter",
        ),
        ({"precision": 2.0}, "precision: 2.0"),
        ({"threads": 0}, "threads: 0"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(StudyError, match=message):
        simulate(load("two-machine"), **settings)


def test_trace_file_is_absent_after_a_failed_run(tmp_path):
    text = """
name: loop
stations:
  first: {time: 1 s}
  check: {kind: inspection, time: 1 s, defects: {dent: 60 %}, finds: {rework: mend}, next: out}
  mend: {time: 5 s, repairs: all, next: check}
"""
    with pytest.raises(DeadlockError):
        simulate(read_text(text), days=0.1, replications=1, trace=tmp_path / "log.parquet")
    assert list(tmp_path.iterdir()) == []


def test_trace_file_holds_the_same_log_as_memory(tmp_path):
    factory = read_text(BUSY)
    path = tmp_path / "log.parquet"
    kept = simulate(factory, days=0.05, replications=1, warm_up=0.0, trace=True).events
    assert simulate(factory, days=0.05, replications=1, warm_up=0.0, trace=path).events is None
    assert pl.read_parquet(path).equals(kept)
    assert [p.name for p in tmp_path.iterdir()] == ["log.parquet"]


def test_an_overloaded_line_is_recognised():
    text = """
name: queue
arrivals: {parts: {interval: 8 s, next: only}}
stations: {only: {time: 10 s, buffer: {capacity: unlimited}}}
"""
    assert simulate(read_text(text), days=1, replications=2).is_overloaded
    steady = read_text(text.replace("8 s", "20 s"))
    assert not simulate(steady, days=1, replications=2).is_overloaded


def test_a_finite_order_book_is_counted_from_the_start():
    text = """
name: book
formats: {A: {}, B: {}}
orders: [{format: A, quantity: 100}, {format: B, quantity: 50}]
stations: {only: {time: 10 s, changeover: {time: 30 min}}}
"""
    result = simulate(read_text(text), days=7, replications=1)
    assert result.warm_up == 0.0
    assert result.formats["good [items]"].to_list() == [100.0, 50.0]


def test_output_of_a_line_counts_each_product_once():
    text = """
name: fork
stations:
  first: {time: 10 s, next: [{to: out, share: 50 %}, {to: second, share: 50 %}]}
  second: {time: 15 s, buffer: {capacity: 50}}
"""
    result = simulate(read_text(text), days=0.5, replications=1, warm_up=0.0)
    assert result.lines["good [items]"][0] == result.formats["good [items]"][0]


def test_a_vehicle_can_be_the_bottleneck():
    text = """
name: ward
resources: {cart: {capacity: 1}}
stations:
  fill: {time: 10 s}
  pack: {time: 10 s, buffer: {capacity: 5, transfer: 40 s, vehicle: {resource: cart}}}
"""
    result = simulate(read_text(text), days=0.5, replications=2)
    assert result.bottleneck.stations[0] == "pack.transport"
    assert result.total("throughput_rate")[0] == pytest.approx(90.0, rel=0.01)


@pytest.mark.parametrize(
    "stations",
    [
        "{a: {time: 0 s}}",
        """
  s: {time: 1 s}
  b: {time: 0 s, buffer: {capacity: 9}}
  c: {time: 0 s, buffer: {capacity: 9}, next: [{to: b, share: 100 %}, {to: out, share: 0 %}]}""",
    ],
)
def test_time_that_stands_still_is_an_error(stations):
    with pytest.raises(SimulationError, match="goes on and on without time passing"):
        simulate(read_text(f"name: still\nstations: {stations}"), days=0.1, replications=1)


def test_machines_blocked_for_ever_without_a_ring_are_an_error():
    text = """
name: stuck
stations:
  a: {time: 1 s, next: [{to: asm, share: 50 %}, {to: asm.x, share: 50 %}]}
  asm: {kind: assembly, time: 1 s, inputs: {x: {}}, next: out}
"""
    with pytest.raises(DeadlockError, match="nothing can happen any more"):
        simulate(read_text(text), days=0.1, replications=1)


def test_findings_say_whether_they_are_scrap_or_rework():
    text = """
name: mixed
stations:
  make: {time: 4 s, scrap: 10 %, defects: {dent: 20 %}}
  check: {kind: inspection, time: 1 s, buffer: {capacity: 9}, finds: {rework: mend}, next: out}
  mend: {time: 2 s, buffer: {capacity: unlimited}, repairs: all, next: check}
"""
    scrap = simulate(read_text(text), days=0.5, replications=2).scrap
    goes = {row["found_at"]: row["goes_to"] for row in scrap.iter_rows(named=True)}
    assert goes == {"make": "scrap", "check": "rework"}


def test_power_in_a_named_state_replaces_standby_power():
    text = """
name: power
stations:
  quick: {time: 1 s, energy: {executing: 10 kW, standby: 1 kW, states: {blocked: 2 kW}}}
  slow: {time: 4 s, buffer: {capacity: 1}}
"""
    energy = simulate(read_text(text), days=0.5, replications=1, warm_up=0.0).energy
    # A quarter of the time executing, three quarters blocked.
    assert energy["electricity [kWh/h]"][0] == pytest.approx(0.25 * 10 + 0.75 * 2, rel=1e-3)


def test_quantities_from_the_event_log_equal_those_of_the_result():
    result = simulate(read_text(BUSY), days=0.2, replications=1, seed=3, warm_up=0.0, trace=True)
    events = result.events
    stations = {row["station"]: row for row in result.stations.iter_rows(named=True)}
    leaves = events.filter(pl.col("kind") == "LEAVE").with_columns(
        station=pl.col("machine").cast(pl.String).str.split("#").list.first()
    )
    for name, row in stations.items():
        mine = leaves.filter(pl.col("station") == name)
        scrapped = (mine["detail"] == "scrap").sum()
        assert row["scrap [items]"] == scrapped
        assert row["good [items]"] == mine.height - scrapped
        assert row["quality_ratio"] == pytest.approx(1 - scrapped / mine.height, rel=1e-9)
    born = events.filter(pl.col("machine").cast(pl.String).str.starts_with("make"))
    born = born.group_by("item").agg(begin=pl.col("time").min())
    done = leaves.filter(pl.col("detail") == "out").join(born, on="item")
    # An item is created when its machine takes it in, at the time of its first record or before
    # a changeover; both are records of the item.
    mean = (done["time"] - done["begin"]).mean()
    assert result.total("lead_time_mean")[0] == pytest.approx(mean, rel=1e-9)
    steps = pl.concat(
        [
            leaves.filter(pl.col("detail") == "pack").select("time", step=pl.lit(1)),
            events.filter((pl.col("kind") == "START") & (pl.col("machine") == "pack")).select(
                "time", step=pl.lit(-1)
            ),
        ]
    ).sort("time")
    horizon = 0.2 * 86400
    area = (steps["step"] * (horizon - steps["time"])).sum()
    level = dict(result.buffers.select("buffer", "level [items]").iter_rows())["pack"]
    assert level == pytest.approx(area / horizon, rel=1e-9)


def test_time_elements_of_formats_add_up_to_those_of_the_station():
    text = """
name: book
formats: {A: {}, B: {}}
orders: [{format: A, quantity: 100}, {format: B, quantity: 50}]
stations: {only: {time: {by_format: {A: 10 s, B: 30 s}}, changeover: {time: 30 min}}}
"""
    result = simulate(read_text(text), days=0.5, replications=1)
    formats = result.formats
    assert formats["actual_production_time [h]"].to_list() == pytest.approx(
        [1000 / 3600, 1500 / 3600]
    )
    assert formats["actual_unit_setup_time [h]"].to_list() == pytest.approx([0.0, 0.5])
    assert formats["effectiveness"].to_list() == pytest.approx([1.0, 1.0])
    station = result.stations
    assert station["actual_production_time [h]"][0] == pytest.approx(2500 / 3600)
    assert station["actual_unit_setup_time [h]"][0] == pytest.approx(0.5)
