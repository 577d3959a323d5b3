"""Factories learned from public logs of machine states, and their shares of states when simulated.

Data: NIST Smart Manufacturing Systems test bed, Mazak01, 2016 to 2020 (public information); T.
Schmitt et al., a derived log of one work order with energy (CC BY 4.0). Expected numbers are
counted from the files here, without the package's reader, or stand in the description of the data.
"""

import csv
import os
from datetime import datetime
from pathlib import Path

import pytest

from gigatwin.events.state_log import read_state_log
from gigatwin.events.state_mapping import StateMapping
from gigatwin.factory.checks import check
from gigatwin.factory.reading import load
from gigatwin.factory.writing import write
from gigatwin.learning.states.learn_states import learn_states
from gigatwin.simulation.simulate import simulate

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GIGATWIN_DATA", REPOSITORY.parent / "shared" / "data"))
NIST = DATA / "nist-sms-testbed"
EVENTS = NIST / "Mazak01-events.csv"
RAW_DAY = NIST / "Mazak01-20170203-20170204.raw.txt"
ORDER = DATA / "mes-energy-line" / "mes_energy_line.csv"
MACHINES = [
    "Loading robot",
    "Conveyor belt",
    "Washing machine",
    "Hantering cell",
    "Presses cell 1",
    "Presses cell 2",
    "Quality station cell",
]

pytestmark = pytest.mark.compiled


def found(path):
    if not path.exists():
        pytest.skip(f"Data absent: the state log {path}; set GIGATWIN_DATA.")
    return path


def simulated_shares(learned, days):
    result = simulate(learned.factory, days=days, replications=6, seed=2)
    assert not result.is_overloaded
    return {row["station"]: row for row in result.stations.to_dicts()}


@pytest.fixture(scope="module")
def mill():
    log = read_state_log(found(EVENTS), coverage=NIST / "coverage.csv")
    return learn_states(log, "mazak")


@pytest.fixture(scope="module")
def order():
    mapping = StateMapping(
        machine="MachineName",
        start="StartTime",
        end="EndTime",
        state="ReasonCode",
        case="ID",
        energy="EnergyConsumption",
        # The publishers state no unit; with this one the robot draws 720 W.
        energy_unit="kJ",
    )
    return learn_states(read_state_log(found(ORDER), mapping), "order")


def test_interruptions_of_the_mill_are_as_long_as_published(mill):
    machine = mill.machines["Mazak01"]
    stops = {stop.kind: stop for stop in machine.stops}
    assert stops["micro_stop"].clock == "running"
    assert 40.0 < stops["micro_stop"].repair.mean.value < 80.0
    assert machine.shares["executing"].low < 0.134 < machine.shares["executing"].high


def test_simulated_mill_spends_its_time_as_the_real_one(mill):
    assert check(mill.factory) is None
    machine = mill.machines["Mazak01"]
    simulated = simulated_shares(mill, 200.0)["Mazak01"]
    for state in ("executing", "breakdown", "micro_stop", "planned_stop", "starved"):
        measured = machine.shares[state].value
        if state == "planned_stop":  # setups are planned stops there
            measured += machine.shares["setup"].value
        assert simulated[f"{state}_share"] == pytest.approx(measured, abs=0.03), state


def test_stops_of_the_mill_agree_with_the_share_that_they_take(mill):
    machine = mill.machines["Mazak01"]
    breakdown = next(stop for stop in machine.stops if stop.kind == "breakdown")
    assert breakdown.clock == "calendar"
    assert 1 - breakdown.availability.value == pytest.approx(
        machine.shares["breakdown"].value, abs=0.01
    )
    assert any("so that the share of the time agrees" in note for note in breakdown.notes)


def test_mill_says_what_its_states_cannot_tell(mill):
    told = {item.element: item for item in mill.unknowns}
    assert {"Mazak01.time", "Mazak01.changeover", "Mazak01 gaps", "flow", "energy"} <= set(told)
    assert "which part" in told["Mazak01.time"].what
    assert "part counter" in told["Mazak01.time"].signal
    # 917 of 1012 daily files, and the machine off most nights.
    assert mill.machines["Mazak01"].recorded_ratio < 0.2
    assert any("'STOPPED'" in note for note in mill.notes)


def test_raw_day_gives_a_factory_that_runs():
    learned = learn_states(read_state_log(found(RAW_DAY)))
    machine = learned.machines["Mazak01"]
    assert 10 < len(machine.work.begins) < 50
    simulated = simulated_shares(learned, 100.0)["Mazak01"]
    for state in ("executing", "breakdown", "starved"):
        assert simulated[f"{state}_share"] == pytest.approx(machine.shares[state].value, abs=0.1)
    assert not machine.time.is_identified


def test_work_order_passes_seven_machines_in_its_order(order, tmp_path):
    with found(ORDER).open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["ReasonCode"] == "Working"]
    form = "%m/%d/%Y %H:%M:%S"
    begin, end = (
        [datetime.strptime(row[name], form) for row in rows]  # noqa: DTZ007 - local time
        for name in ("StartTime", "EndTime")
    )
    assert [
        row["MachineName"] for row in sorted(rows, key=lambda row: row["StartTime"])
    ] == MACHINES
    assert set(order.machines) == set(MACHINES)
    for row, first, last in zip(rows, begin, end, strict=True):
        machine = order.machines[row["MachineName"]]
        assert machine.time.mean.value == (last - first).total_seconds()
        power = float(row["EnergyConsumption"]) * 1000 / (last - first).total_seconds()
        assert machine.energy.power["executing"].value == pytest.approx(power, rel=1e-5)
    stations = order.factory.stations
    assert [name for station in stations.values() for name in station.recorded_as.machines] == (
        MACHINES
    )
    following = [station.next for station in stations.values()]
    assert following == [*list(stations)[1:], "out"]
    write(order.factory, tmp_path / "order.yaml")
    assert load(tmp_path / "order.yaml") == order.factory


def test_presses_at_the_same_times_are_one_station_that_draws_for_both(order):
    press = order.factory.stations["Presses_cell_1-Presses_cell_2"]
    assert press.recorded_as.machines == ("Presses cell 1", "Presses cell 2")
    assert press.energy.executing == pytest.approx(2 * 224_000 / 175)
    assert press.time == 175.0


def test_one_work_order_tells_neither_arrivals_nor_stops(order):
    told = [item.element for item in order.unknowns]
    assert "arrivals" in told
    assert "waiting between machines" in told
    assert "Washing_machine.stops.breakdown" in told
    assert not order.factory.arrivals
    assert not any(station.stops for station in order.factory.stations.values())
    simulated = simulated_shares(order, 1.0)
    # The presses are the slowest; everything else waits for them.
    assert simulated["Presses_cell_1-Presses_cell_2"]["executing_share"] > 0.99
