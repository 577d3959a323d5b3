"""Whatever is done to one place of a record of changes, it is found."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigatwin.twin.changes.canonical import canonical, digest, plain
from gigatwin.twin.changes.entry import Entry, Kind
from gigatwin.twin.changes.record import ChangeRecord
from gigatwin.twin.changes.verification import verify

N = 6
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return a folder with a record of six entries."""
    folder = tmp_path_factory.mktemp("original")
    record = ChangeRecord(folder / "record.jsonl")
    for number in range(N):
        data = {"text": f"step {number}", "value": number / 7, "list": [number, "é"]}
        record.append(Kind.NOTE, change="c1-abc", actor="anna", data=data)
    return folder


@pytest.fixture(scope="module")
def changed(original, tmp_path_factory):
    """Return a function that verifies the record with another content."""
    folder = tmp_path_factory.mktemp("changed")
    shutil.copy(original / "record.head", folder)
    record = ChangeRecord(folder / "record.jsonl")

    def verifying(content):
        record.path.write_bytes(content)
        return verify(record)

    return verifying


@pytest.fixture(scope="module")
def content(original):
    return (original / "record.jsonl").read_bytes()


@given(place=st.integers(min_value=0), new=st.integers(0, 255))
def test_any_changed_byte_is_found(changed, content, place, new):
    place %= len(content)
    edited = content[:place] + bytes([new]) + content[place + 1 :]
    found = changed(edited)
    assert found.is_whole == (edited == content)
    if edited != content:
        assert found.first.number == content[:place].count(b"\n") + 1


@given(place=st.integers(min_value=0), more=st.binary(min_size=1, max_size=8))
def test_any_added_bytes_are_found(changed, content, place, more):
    place %= len(content)
    edited = content[:place] + more + content[place:]
    assert changed(edited).is_whole == (edited == content)


@given(begin=st.integers(min_value=0), length=st.integers(1, 400))
def test_any_removed_bytes_are_found(changed, content, begin, length):
    begin %= len(content)
    assert not changed(content[:begin] + content[begin + length :]).is_whole


@given(more=st.binary(min_size=1, max_size=300))
def test_bytes_behind_the_end_are_reported(changed, content, more):
    found = changed(content + more)
    assert found.n_unfinished == len(more)
    assert found.is_whole == (b"\n" not in more)


@given(order=st.permutations(range(N)))
def test_any_other_order_is_found(changed, content, order):
    lines = content.splitlines(keepends=True)
    found = changed(b"".join(lines[k] for k in order))
    assert found.is_whole == (order == sorted(order))


@given(kept=st.sets(st.integers(0, N - 1)))
def test_any_removed_entries_are_found_and_the_first_is_named(changed, content, kept):
    lines = content.splitlines(keepends=True)
    found = changed(b"".join(lines[k] for k in sorted(kept)))
    missing = sorted(set(range(N)) - kept)
    assert found.is_whole == (not missing)
    if missing:
        assert found.first.number == missing[0] + 1


@given(place=st.integers(0, N - 1), data=st.dictionaries(st.text(max_size=9), PLAIN, max_size=3))
def test_entry_with_other_content_and_its_own_hash_is_found(changed, content, place, data):
    lines = content.splitlines(keepends=True)
    entry = Entry.parse(lines[place])
    forged = {**entry.content, "data": plain(data)}
    lines[place] = canonical({**forged, "hash": digest(forged)}).encode() + b"\n"
    found = changed(b"".join(lines))
    assert not found.is_whole
    assert found.first.number == place + 1


@given(data=PLAIN)
def test_plain_data_have_one_text_that_reads_back(data):
    text = canonical(plain(data))
    assert canonical(plain(json.loads(text))) == text
