"""A state made from plain facts goes on like the run that the facts were read from."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_reading import contents_of
from gigatwin.compiler.live_state import state_from
from gigatwin.errors import DeadlockError
from gigatwin.simulation.run import Run
from gigatwin.simulation.tallies import check_conservation
from tests.property.comparison import as_tuples, assert_same_records, run_kernel
from tests.property.strategies import build, descriptions

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}
UNTIL = 200.0


@settings(max_examples=20 if INTERPRETED else 60)
@given(descriptions().map(build).map(compile_factory), st.integers(0, 1000), st.integers(0, 800))
def test_run_made_from_contents_goes_on_like_the_run_they_were_read_from(compiled, seed, quarters):
    pause = quarters / 4
    run, is_deadlocked = run_kernel(compiled, pause, seed=seed)
    if is_deadlocked:
        return
    snapshot = run.snapshot()
    run.records()
    state = state_from(compiled, contents_of(compiled, snapshot), seed=seed + 1, trace=True)
    again = Run(compiled, trace=True)
    # With the streams of the run that was left, nothing is drawn differently.
    again.restore(state._replace(streams=snapshot.streams))
    stuck = []
    for goes_on in (run, again):
        try:
            goes_on.advance(UNTIL)
        except DeadlockError:
            stuck.append(goes_on)
    assert len(stuck) in {0, 2}
    if stuck:
        return
    assert check_conservation(compiled, again.state) == ""
    assert_same_records(as_tuples(again.records()), as_tuples(run.records()), exact=False)
