"""The watch of stops and scrap."""

import numpy as np
import pytest

from gigatwin.twin.watch.findings import Proposal
from gigatwin.twin.watch.rate_signal import RateSignal, rate_estimate
from gigatwin.twin.watch.rate_watch import RatePlan, RateWatch

WEEK = 7 * 86_400.0
RATE = 1 / 1200


def watch_of(machines=("press",), rate=RATE, *, by_item=False):
    proposed = []

    def propose(estimate, reason, score):
        proposed.append(estimate)
        return Proposal({"rate": estimate.value}, {}, reason, score)

    numbers = iter(range(1, 100))
    unit = "1" if by_item else "1/s"
    plan = RatePlan("press", machines, "stops", "jam", 500 * WEEK, 1.0, by_item, rate, unit)
    return RateWatch(plan, propose, lambda: next(numbers)), proposed


def fed(watch, rng, rates, n, begin=0.0):
    """Give stops of machines, each with its rate, in the order of time."""
    stops = sorted(
        (time, name, gap)
        for name, rate in rates.items()
        for gaps in [rng.exponential(1 / rate, n)]
        for time, gap in zip(begin + np.cumsum(gaps), gaps, strict=True)
    )
    # Up to when all machines still stop: the last moments have fewer.
    end = min(max(time for time, other, _ in stops if other == name) for name in rates)
    found = []
    for time, name, gap in stops:
        if time <= end:
            found += watch.take(float(time), name, float(gap), 1)
    return found, end


@pytest.mark.parametrize("ratio", [2.5, 0.3])
def test_a_rate_that_changes_is_found_confirmed_and_measured(ratio):
    rng = np.random.default_rng(1)
    watch, _ = watch_of()
    found, end = fed(watch, rng, {"press": RATE}, 100)
    assert found == []
    found, _ = fed(watch, rng, {"press": ratio * RATE}, 250, end)
    assert [f.stage for f in found[:3]] == ["alarm", "confirmed", "measured"]
    assert {f.direction for f in found} == {1 if ratio > 1 else -1}
    assert found[2].level.low <= ratio * RATE <= found[2].level.high
    assert found[0].reference == "model"
    assert found[2].proposal.changes["rate"] == found[2].level.value


def test_nothing_is_found_where_nothing_changes():
    watch, _ = watch_of()
    found, _ = fed(watch, np.random.default_rng(2), {"press": RATE}, 3000)
    assert found == []


def test_one_machine_of_four_is_named_and_the_mean_is_proposed():
    rng = np.random.default_rng(3)
    names = tuple(f"press#{k}" for k in range(1, 5))
    watch, proposed = watch_of(names)
    rates = dict.fromkeys(names, RATE)
    _, end = fed(watch, rng, rates, 200)
    found, _ = fed(watch, rng, rates | {"press#2": 4 * RATE}, 400, end)
    assert [f.stage for f in found[:3]] == ["alarm", "confirmed", "measured"]
    assert {f.machine for f in found} == {"press#2"}
    assert proposed[-1].value == pytest.approx((3 + 4) / 4 * RATE, rel=0.3)


def test_a_change_of_all_machines_is_one_of_the_station():
    rng = np.random.default_rng(4)
    names = tuple(f"press#{k}" for k in range(1, 7))
    watch, proposed = watch_of(names)
    _, end = fed(watch, rng, dict.fromkeys(names, RATE), 200)
    found, _ = fed(watch, rng, dict.fromkeys(names, 2 * RATE), 300, end)
    assert found[0].machine is None
    assert [f.stage for f in found if f.number == 1][:3] == ["alarm", "confirmed", "measured"]
    assert proposed[-1].value == pytest.approx(2 * RATE, rel=0.35)


def test_a_rate_that_the_model_does_not_know_is_learned_from_30_events():
    watch, _ = watch_of(rate=None)
    rng = np.random.default_rng(5)
    found, end = fed(watch, rng, {"press": RATE}, 200)
    assert found == []
    assert watch.signals["press"].source == "plant"
    found, _ = fed(watch, rng, {"press": 5 * RATE}, 400, end)
    assert found[0].reference == "plant"


def test_scrap_that_the_model_does_not_have_is_reported_once():
    watch, _ = watch_of(rate=0.0, by_item=True)
    found = []
    for k in range(1, 101):
        found += watch.take(k * 600.0, "press", 100.0, 1)
    assert [(f.stage, f.reference, f.before) for f in found] == [("measured", "model", 0.0)]
    assert found[0].level.value == pytest.approx(0.01)


def test_a_learned_rate_is_judged_with_caution():
    signal = RateSignal(20 * WEEK, 1.0, by_item=False)
    for k in range(30):
        signal.take(k * 1200.0, 1200.0, 1)
    chart = signal.detector.chart
    # 80 % of the probability of the rate lies between the two.
    assert chart.low < 1 / 1200 < chart.high
    assert chart.high * 1200 == pytest.approx(1 + 1.28 / np.sqrt(30), rel=0.05)


def test_the_interval_of_a_rate_is_that_of_garwood():
    # 10 events: 4.795 to 18.39 (Garwood 1936).
    found = rate_estimate(10, 100.0)
    assert (found.low, found.high) == pytest.approx((0.04795, 0.1839), rel=1e-3)
    assert rate_estimate(0, 100.0).low == 0.0
    assert rate_estimate(0, 0.0) is None
