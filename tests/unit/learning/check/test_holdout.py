"""Comparing with what came after."""

import math

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.learning.check.holdout import compare_laws, holdout, law_durations, split_by_time
from gigatwin.learning.learn import learn
from gigatwin.testing.generated_log import case_log_of


def drifting(factor: float) -> CaseLog:
    """Return 200 cases of one activity, the last 60 of them longer by a factor."""
    rows = []
    for number in range(200):
        length = (8.0 + number % 5) * (factor if number >= 140 else 1.0)
        start = 100.0 * number
        rows.append((f"case_{number}", "cut", "saw", start, start + length, True))
    schema = ["case", "activity", "machine", "start", "end", "success"]
    return CaseLog(pl.DataFrame(rows, schema=schema, orient="row"))


def test_split_keeps_cases_whole_and_in_time():
    log = case_log_of(n_cases=100)
    early, late = split_by_time(log, 0.7)
    assert (early.n_cases, late.n_cases) == (70, 30)
    assert set(early.activities["case"]).isdisjoint(late.activities["case"])
    firsts = early.activities.group_by("case").agg(pl.col("start").min())["start"]
    assert firsts.max() < late.activities["start"].min()


def test_line_that_stays_the_same_is_foretold():
    scores = holdout(drifting(1.0), simulate=law_durations)
    assert scores.mean_error == pytest.approx(0.0, abs=1e-6)
    assert scores.kolmogorov_smirnov == 0.0
    assert scores.wasserstein == pytest.approx(0.0, abs=1e-6)


def test_line_that_becomes_slower_shows_by_how_much():
    score = holdout(drifting(2.0), simulate=law_durations).scores[0]
    assert score.station == "saw-cut"
    assert (score.n_learned, score.n_held_out) == (140, 60)
    assert score.foretold_mean == pytest.approx(10.0)
    assert score.held_out_mean == pytest.approx(20.0)
    # Foretold 8..12, came 16..24: half the mean missing, and no value in common.
    assert score.mean_error == pytest.approx(0.5)
    assert score.wasserstein == pytest.approx(0.5)
    assert score.kolmogorov_smirnov == 1.0


def test_known_laws_are_foretold_within_their_scatter():
    scores = holdout(case_log_of(n_cases=6000, seed=2), simulate=law_durations)
    assert len(scores.scores) == 5
    for score in scores.scores:
        scatter = math.sqrt(1 / score.n_learned + 1 / score.n_held_out)
        # The widest law has cv 0.5. The two-sample test rejects at 1.36 scatter in 5 % of cases;
        # the slices of 400 add at most 1/400 to the distance.
        assert score.mean_error < 5 * 0.5 * scatter
        assert score.kolmogorov_smirnov < 2.2 * scatter + 0.0025


def test_rare_activities_are_left_out_and_counted():
    log = case_log_of(n_cases=150, seed=3)
    scores = holdout(log, minimum=80, simulate=law_durations)
    assert len(scores.scores) + scores.n_left_out == 5
    assert {score.station for score in scores.scores} == {
        "saw-cut",
        "mill-rough",
        "mill-fine",
        "gauge-measure",
    }
    assert scores.table().height == len(scores.scores)


def test_own_simulation_can_foretell():
    def twice(factory):
        return {name: 2.0 * times for name, times in law_durations(factory).items()}

    assert holdout(drifting(2.0), simulate=twice).mean_error == pytest.approx(0.0, abs=1e-6)


def test_samples_of_a_constant_time_are_that_time():
    rows = [(f"case_{k}", "cut", "saw", 10.0 * k, 10.0 * k + 4.0, True) for k in range(5)]
    schema = ["case", "activity", "machine", "start", "end", "success"]
    log = CaseLog(pl.DataFrame(rows, schema=schema, orient="row"))
    assert law_durations(learn(log, "constant").factory)["saw-cut"].tolist() == [4.0]


def test_log_that_is_too_short_is_refused():
    with pytest.raises(TelemetryError, match="no activity with 60 observations"):
        holdout(case_log_of(n_cases=20), simulate=law_durations)


@pytest.mark.parametrize("split", [0.0, 1.0, 7.0])
def test_split_must_leave_both_parts(split):
    with pytest.raises(TelemetryError, match="between 0 and 1"):
        holdout(drifting(1.0), split=split)


def test_plain_sample_is_scored_beside_the_learned_factory():
    scores = holdout(drifting(1.0), simulate=law_durations)
    assert [score.station for score in scores.plain] == ["saw-cut"]
    assert scores.plain[0].crps == pytest.approx(scores.scores[0].crps)
    assert scores.medians()["foretold_by"].to_list() == ["learned", "plain"]


def test_chosen_laws_follow_a_change_that_plain_samples_ignore():
    rows = []
    for number in range(400):
        length = (8.0 + number % 5) * (1.5 if number >= 200 else 1.0)
        rows.append((f"case_{number}", "cut", "saw", 100.0 * number, 100.0 * number + length, True))
    schema = ["case", "activity", "machine", "start", "end", "success"]
    scores = compare_laws(CaseLog(pl.DataFrame(rows, schema=schema, orient="row")))
    learned, plain = scores.medians().iter_rows(named=True)
    assert plain["mean_error"] == pytest.approx((15 - (200 * 10 + 80 * 15) / 280) / 15)
    assert learned["mean_error"] < 0.1 * plain["mean_error"]
    for measure in ("kolmogorov_smirnov", "wasserstein", "crps"):
        assert learned[measure] < plain[measure]


def test_chosen_laws_need_enough_activities():
    with pytest.raises(TelemetryError, match="no activity with 60 observations"):
        compare_laws(case_log_of(n_cases=20))
