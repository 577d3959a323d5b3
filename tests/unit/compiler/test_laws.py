"""Laws of the kernel against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.compiler.laws import LawTable
from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate


@pytest.mark.parametrize("cv", [0.01, 0.2, 0.7, 1.0, 1.9, 3.0])
def test_table_of_a_gamma_law_holds_its_quantiles(cv):
    laws = LawTable()
    laws.add(Distribution(distribution="gamma", mean=12.0, cv=cv))
    _, roots = laws.arrays()
    shape = cv**-2
    scores = np.linspace(-8, 8, len(roots))
    exact = np.where(
        scores < 0,
        stats.gamma.ppf(stats.norm.cdf(scores), shape, scale=1 / shape),
        stats.gamma.isf(stats.norm.sf(scores), shape, scale=1 / shape),
    )
    np.testing.assert_allclose(roots, np.cbrt(exact), rtol=1e-9, atol=1e-9)
    assert (np.diff(roots) >= 0).all()


def test_laws_with_the_same_values_are_kept_once():
    laws = LawTable()
    estimate = Estimate(value=12.0, low=11.0, high=13.0, n=9, method="mean")
    gamma = {"distribution": "gamma", "mean": 12.0, "cv": 0.5}
    assert laws.add(Distribution(**gamma)) == laws.add(
        Distribution(**gamma, description="same", estimates={"mean": estimate})
    )
    samples = laws.add(Empirical(samples=(1.0, 2.0)))
    assert samples == laws.add(Empirical(samples=(1.0, 2.0), sources={"samples": "a log"}))
    assert samples != laws.add(Empirical(quantiles=(1.0, 2.0)))
    exponential = laws.exponential(3.0)
    assert exponential == laws.add(Distribution(distribution="exponential", mean=3.0))
    assert len(laws.arrays()[0]) == 4
