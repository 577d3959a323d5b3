"""Begins and ends of visits, lost, shuffled and copied."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.events.case_log import read_case_log
from gigatwin.events.pairing import paired

HEADER = "item,station,event,time,number"
EVENTS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["enter", "exit"]),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=25,
)


# Without its end: a row is missing, so begins and ends are not counted off.
LOST = ("lost", "s1", "enter", 3)


def lines_of(events):
    return [",".join(map(str, (*event, number))) for number, event in enumerate(events)]


def visits_of(lines, folder):
    path = folder / "log.csv"
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    log = read_case_log(path)
    offset = log.origin
    columns = ["case", "activity", pl.col("start") + offset, pl.col("end") + offset]
    return sorted(log.visits.select(columns).rows(), key=str)


@settings(max_examples=40)
@given(events=EVENTS, data=st.data())
def test_order_and_copies_of_the_rows_change_nothing(tmp_path_factory, events, data):
    folder = tmp_path_factory.mktemp("log")
    lines = lines_of([*events, LOST])
    copies = data.draw(st.lists(st.sampled_from(lines), max_size=5))
    shuffled = data.draw(st.permutations([*lines, *copies]))
    assert visits_of(shuffled, folder) == visits_of(lines, folder)


@settings(max_examples=40)
@given(events=EVENTS)
def test_every_event_is_in_one_visit(tmp_path_factory, events):
    events = [*events, LOST]
    visits = visits_of(lines_of(events), tmp_path_factory.mktemp("log"))
    found = [(*visit[:2], "enter", visit[2]) for visit in visits if visit[2] is not None]
    found += [(*visit[:2], "exit", visit[3]) for visit in visits if visit[3] is not None]
    assert sorted(found) == sorted(events)


@settings(max_examples=40)
@given(
    stays=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 3))),
    data=st.data(),
)
def test_whole_visits_are_found_in_any_order_of_the_rows(tmp_path_factory, stays, data):
    events, visits, now = [], [], {}
    for item, pause, length in [*stays, ("c", 0, 1)]:
        start = now.get(item, 0) + pause
        now[item] = end = start + length
        events += [(item, "s1", "enter", start), (item, "s1", "exit", end)]
        visits.append((item, "s1", float(start), float(end)))
    shuffled = data.draw(st.permutations(lines_of(events)))
    assert visits_of(shuffled, tmp_path_factory.mktemp("log")) == sorted(visits, key=str)


def one_by_one(events):
    """Pair rows of one key in order of time, a begin only with an end that follows at once."""
    pairs, waiting = [], None
    for place, is_begin in events:
        if is_begin:
            if waiting is not None:
                pairs.append((waiting, None))
            waiting = place
        else:
            pairs.append((waiting, place))
            waiting = None
    return pairs if waiting is None else [*pairs, (waiting, None)]


@given(
    events=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.booleans()), min_size=1
    )
)
def test_pairs_are_those_found_one_by_one(events):
    # A begin of its own case at the end: a row is missing, so nothing is counted.
    rows = [*events, ("lost", "x", True)]
    frame = pl.DataFrame(rows, schema=["case", "machine", "is_begin"], orient="row").select(
        pl.col("case", "machine").cast(pl.Categorical),
        "is_begin",
        activity=pl.lit("cut").cast(pl.Categorical),
        instance=pl.lit(None, dtype=pl.Categorical),
        time=pl.int_range(pl.len()),
    )
    keys = {row[:2] for row in rows}
    expected = [
        pair
        for key in keys
        for pair in one_by_one([(n, row[2]) for n, row in enumerate(rows) if row[:2] == key])
    ]
    assert sorted(paired(frame).rows(), key=str) == sorted(expected, key=str)
