"""What explains the modes of a duration."""

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.times.conditions import explain, with_neighbours


@pytest.fixture
def random():
    return np.random.default_rng(6)


def test_attribute_that_sets_the_mode_is_found(random):
    target = random.choice(["near", "far"], 200)
    day = random.choice(["monday", "tuesday"], 200)
    values = random.normal(10.0, 0.5, 200) + 8.0 * (target == "far")
    found = explain(values, pl.DataFrame({"day": day, "target": target}))
    assert found.attribute == "target"
    assert found.gain > 0.7
    assert found.laws["near"].mean.value == pytest.approx(10.0, abs=0.2)
    assert found.laws["far"].mean.value == pytest.approx(18.0, abs=0.2)
    assert found.counts["far"] == (target == "far").sum()
    assert found.others is None
    assert str(found).startswith("target (2 levels) lowers the held-out CRPS by")


def test_attributes_without_influence_explain_nothing(random):
    for _ in range(20):
        values = random.gamma(4.0, 3.0, 150)
        attributes = pl.DataFrame({name: random.choice(["a", "b", "c"], 150) for name in "xyz"})
        assert explain(values, attributes) is None


def test_rare_and_missing_levels_have_a_law_together(random):
    target = np.array((["near"] * 10 + ["far"] * 10) * 10, dtype=object)
    target[[3, 50]] = None, "odd"
    values = random.normal(10.0, 0.5, 200) + 8.0 * (target == "far")
    found = explain(values, pl.DataFrame({"target": target.tolist()}))
    assert found.laws.keys() == {"near", "far"}
    assert found.others.mean.n == 2
    assert found.counts[""] == 1


def test_too_little_is_not_explained(random):
    assert explain(random.normal(10, 1, 19), pl.DataFrame({"x": ["a"] * 19})) is None
    assert explain(np.full(50, 3.0), pl.DataFrame({"x": ["a", "b"] * 25})) is None
    many = pl.DataFrame({"x": [str(k) for k in range(60)]})
    assert explain(random.normal(10, 1, 60), many) is None


def test_neighbours_are_those_of_the_case():
    visits = pl.DataFrame({"case": ["a", "b", "a"], "station": ["saw", "saw", "mill"]})
    found = with_neighbours(visits)
    assert found["previous"].to_list() == ["", "", "saw"]
    assert found["next"].to_list() == ["mill", "", ""]
