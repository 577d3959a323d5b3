"""The historian in a folder against a list in memory, whatever is done in whatever order."""

import math
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.telemetry import Quality, Reading

HOUR = 3600.0
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5),
)
TIMES = st.one_of(
    st.floats(1.8e9, 1.8e9 + 5 * HOUR), st.floats(allow_nan=False, allow_infinity=False)
)
READINGS = st.builds(
    Reading, st.sampled_from(["a/x", "a/y", "b/x"]), VALUES, TIMES, st.sampled_from(Quality)
)
STEPS = st.lists(
    st.one_of(
        st.lists(READINGS, max_size=8),
        st.sampled_from(["compact", "compact well", "open again", "read on"]),
    ),
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(1, 7))
def test_historian_holds_what_a_list_holds(steps, limit):
    with tempfile.TemporaryDirectory() as folder:
        store, kept, row, seen = EmbeddedHistorian(folder), [], 0, []
        for step in steps:
            if isinstance(step, list):
                kept += step
                assert store.append(step) == len(kept)
            elif step == "open again":
                store.close()
                store = EmbeddedHistorian(folder)
            elif step == "read on":
                part = store.after(row, limit)
                seen += [reading for _, reading in part]
                row = part[-1][0] if part else row
            else:
                store.compact(is_thorough=step == "compact well")
        while part := store.after(row, limit):
            seen += [reading for _, reading in part]
            row = part[-1][0]
        assert seen == kept
        newest = {}
        for reading in kept:
            if reading.source_time >= newest.get(reading.tag, reading).source_time:
                newest[reading.tag] = reading
        assert store.latest() == newest
        times = store.read("a/x", -math.inf, math.inf)["time"].to_list()
        assert times == sorted(r.source_time for r in kept if r.tag == "a/x")
        assert store.check().problems == ()
        store.close()
