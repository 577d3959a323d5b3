"""What a learned factory does when it is simulated."""

import math

import pytest

from gigatwin.learning.check.holdout import law_durations
from gigatwin.learning.check.simulated_durations import simulated_durations
from gigatwin.learning.learn import learn
from gigatwin.testing.generated_log import case_log_of

pytestmark = pytest.mark.compiled


@pytest.fixture(scope="module")
def factory():
    return learn(case_log_of(n_cases=2000, seed=4), "shop").factory


@pytest.fixture(scope="module")
def simulated(factory):
    return simulated_durations(factory, n_cases=4000)


def test_simulation_draws_from_the_learned_laws(factory, simulated):
    laws = law_durations(factory)
    assert simulated.keys() == laws.keys() == factory.stations.keys()
    for name, times in simulated.items():
        law = laws[name]
        error = law.std() / math.sqrt(len(times))
        assert abs(times.mean() - law.mean()) < 5 * error
        assert 5 * error < 0.06 * law.mean()


def test_stations_are_visited_as_often_as_learned(simulated):
    visits = {name: len(times) for name, times in simulated.items()}
    # Every case is measured at least once; 12 % of the measured ones come again.
    ratio = visits["mill-rough"] / visits["saw-cut"]
    assert ratio == pytest.approx(0.7, abs=5 * math.sqrt(0.21 * (1 / 1800 + 1 / 3600)))
    assert visits["gauge-measure"] == pytest.approx(4000 / 0.88, rel=0.12)
