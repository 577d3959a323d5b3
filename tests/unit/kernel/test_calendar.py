import numpy as np
import pytest

from gigatwin.kernel.calendar import empty_calendar, schedule


@pytest.mark.parametrize("n_actors", [1, 2, 3, 7, 40, 129])
def test_earliest_actor_is_on_top_after_any_changes(n_actors):
    generator = np.random.default_rng(n_actors)
    clock, tree = empty_calendar(n_actors)
    times = np.full(n_actors, np.inf)
    for _ in range(300):
        actor = int(generator.integers(n_actors))
        time = float(generator.choice([1.0, 2.0, 3.0, 4.0, np.inf]))
        schedule(clock, tree, actor, time)
        times[actor] = time
        assert tree[1] == int(np.argmin(times))  # the lower number on a tie
        assert clock[tree[1]] == times.min()
