"""The states of a machine tool in a fabrication workshop.

Data: NIST Smart Manufacturing Systems test bed, Mazak01, 2016 to 2020 (public information). What
is known of it: programs pause often, an ACTIVE stretch has a median of about 30 s, INTERRUPTED a
median of 4 to 6 s and a mean of about 70 s; 917 of 1012 daily files are there, and no time is to
be measured across a missing day or across UNAVAILABLE. The rows are read here without the
package's reader.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.states.reliability import learn_stops
from gigatwin.learning.states.state_history import STATES, histories
from gigatwin.learning.states.state_shares import state_shares

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GIGATWIN_DATA", REPOSITORY.parent / "shared" / "data"))
FOLDER = DATA / "nist-sms-testbed"
STATE_OF = {
    "ACTIVE": "executing",
    "INTERRUPTED": "micro_stop",
    "READY": "starved",
    "FEED_HOLD": "waiting_for_crew",
    "PROGRAM_STOPPED": "waiting_for_crew",
    "STOPPED": "no_order",
}


@pytest.fixture(scope="module")
def intervals():
    events, coverage = FOLDER / "Mazak01-events.csv", FOLDER / "coverage.csv"
    if not events.exists():
        pytest.skip(f"Data absent: the machine-tool states {events}; set GIGATWIN_DATA.")
    rows = pl.read_csv(events).filter(pl.col("item") == "execution")
    moments = pl.col("timestamp").str.to_datetime(time_zone="UTC")
    rows = rows.with_columns(start=moments.dt.epoch("us") / 1e6).sort("start")
    rows = rows.with_columns(end=pl.col("start").shift(-1)).drop_nulls()
    missing = pl.read_csv(coverage).filter(pl.col("in_events_file") == 0)
    days = missing["file"].str.extract(r"-(\d{8})-\d{8}").to_list()
    noons = np.sort(
        [datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp() for day in days]
    )
    first = np.searchsorted(noons + 86400.0, rows["start"].to_numpy())
    covered = np.append(noons, np.inf)[first] >= rows["end"].to_numpy()
    return rows.filter(covered).select(
        pl.lit("Mazak01").alias("machine"),
        "start",
        "end",
        pl.col("value").replace_strict(STATE_OF, default=None).alias("state"),
    )


@pytest.fixture(scope="module")
def stops(intervals):
    return {stop.kind: stop for stop in learn_stops(intervals, rows="2-117127")["Mazak01"]}


def test_active_stretches_are_as_long_as_published(intervals):
    history = histories(intervals)["Mazak01"]
    active = history.lengths[history.states == STATES.index("executing")]
    assert 28.0 < np.median(active) < 33.0


def intervals_mean(intervals):
    own = intervals.filter(pl.col("state") == "micro_stop")
    return float((own["end"] - own["start"]).mean())


def test_interruptions_are_as_long_as_published(intervals, stops):
    history = histories(intervals)["Mazak01"]
    lengths = history.spells("micro_stop").lengths
    assert 4.0 <= np.median(lengths) <= 6.5
    assert 60.0 < intervals_mean(intervals) < 80.0
    known = stops["micro_stop"].repair.mean
    assert known.low < 70.0 < known.high
    # Long ones are cut off more often, so leaving these out would give 52 s.
    assert known.value > 65.0


def test_operating_time_between_interruptions_is_counted_right(intervals, stops):
    active = intervals.filter(pl.col("state") == "executing")
    running = float((active["end"] - active["start"]).sum())
    stop = stops["micro_stop"]
    assert stop.clock == "running"
    assert stop.exposure == pytest.approx(running, rel=1e-4)
    assert stop.between.value == pytest.approx(running / stop.n_stops, rel=1e-3)
    # Pauses in a row, with nothing made between them, are one interruption.
    assert 3000 < stop.n_stops <= intervals.filter(pl.col("state") == "micro_stop").height


def test_interruptions_come_in_clusters_and_this_is_said(stops):
    stop = stops["micro_stop"]
    assert stop.law.distribution == "weibull"
    assert stop.law.cv > 1.2
    assert any("clusters" in note for note in stop.notes)
    assert stop.to_stop().every.estimates["mean"].rows == "2-117127"


def test_no_state_lasts_across_a_gap(intervals, stops):
    total = float(
        (intervals.drop_nulls("state")["end"] - intervals.drop_nulls("state")["start"]).sum()
    )
    history = histories(intervals)["Mazak01"]
    assert float(history.lengths.sum()) == pytest.approx(total, rel=1e-4)
    # Half of the record's span is UNAVAILABLE or missing.
    assert total < 0.5 * (intervals["end"].max() - intervals["start"].min())
    assert any("cut off by a gap" in note for note in stops["micro_stop"].notes)


def test_shares_of_the_states_add_up_to_one(intervals):
    shares = state_shares(intervals)["Mazak01"]
    assert sum(share.value for share in shares.values()) == pytest.approx(1.0, abs=1e-5)
    assert shares["executing"].low < 0.05 < shares["executing"].high
