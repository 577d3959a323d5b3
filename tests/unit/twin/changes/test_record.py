"""The record keeps what was acknowledged, and shows what was done to it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gigatwin.twin.changes.canonical import canonical, digest
from gigatwin.twin.changes.entry import Kind
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.record import ChangeRecord
from gigatwin.twin.changes.verification import verify

SOURCE = Path(__file__).parents[4] / "src"


@pytest.fixture
def record(tmp_path):
    record = ChangeRecord(tmp_path / "record.jsonl")
    for number in range(1, 6):
        record.append(Kind.NOTE, actor="anna", data={"text": f"entry {number}", "x": number / 3})
    return record


def lines(record):
    return record.path.read_bytes().splitlines(keepends=True)


def rechained(entries):
    """Return entries with a chain computed anew, as a forger would."""
    previous, out = "0" * 64, []
    for number, entry in enumerate(entries, start=1):
        content = {key: value for key, value in entry.items() if key != "hash"}
        content |= {"number": number, "previous": previous}
        previous = digest(content)
        out.append(canonical({**content, "hash": previous}).encode() + b"\n")
    return b"".join(out)


def test_entries_come_back_as_they_were_written(record):
    found = record.entries()
    assert [entry.number for entry in found] == [1, 2, 3, 4, 5]
    assert found[2].data == {"text": "entry 3", "x": 1.0}
    assert verify(record).is_whole


def test_hash_is_that_of_any_other_program(record):
    entry = json.loads(lines(record)[1])
    found = entry.pop("hash")
    code = (
        "import sys, json, hashlib; d = json.load(sys.stdin); t = json.dumps(d, sort_keys=True, "
        "separators=(',', ':')); print(hashlib.sha256(t.encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(entry),
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == found


def test_changed_entry_is_named(record):
    record.path.write_bytes(record.path.read_bytes().replace(b"entry 3", b"entry X"))
    found = verify(record)
    assert found.first.number == 3
    assert "was changed" in found.first.text


def test_changed_number_is_named_by_its_place(record):
    record.path.write_bytes(record.path.read_bytes().replace(b'"number":3', b'"number":9'))
    assert verify(record).first.number == 3


def test_entry_changed_with_its_hash_is_named(record):
    content = [json.loads(line) for line in lines(record)]
    third = content[2] | {"actor": "boris"}
    third["hash"] = digest({key: value for key, value in third.items() if key != "hash"})
    new = lines(record)
    new[2] = canonical(third).encode() + b"\n"
    record.path.write_bytes(b"".join(new))
    found = verify(record)
    assert found.first.number == 3
    assert "with its hash" in found.first.text


def test_removed_entry_is_named(record):
    new = lines(record)
    del new[2]
    record.path.write_bytes(b"".join(new))
    assert str(verify(record).first).startswith("entry 3: removed")


def test_reordered_entries_are_found(record):
    new = lines(record)
    new[2], new[3] = new[3], new[2]
    record.path.write_bytes(b"".join(new))
    assert verify(record).first.number == 3


def test_removed_tail_is_found(record):
    record.path.write_bytes(b"".join(lines(record)[:3]))
    found = verify(record)
    assert found.first.number == 4
    assert "5 entries were acknowledged" in found.first.text


def test_whole_chain_computed_anew_does_not_fit_the_head(record):
    content = [json.loads(line) for line in lines(record)]
    content[1]["data"]["text"] = "entry Y"
    record.path.write_bytes(rechained(content))
    found = verify(record)
    assert found.first.number == 5
    assert "rewritten" in found.first.text


def test_chain_and_head_computed_anew_are_found_by_a_head_written_down(record):
    written_down = verify(record).head.text
    content = [json.loads(line) for line in lines(record)]
    content[1]["data"]["text"] = "entry Y"
    record.path.unlink()
    record.path.with_suffix(".head").unlink()
    record.path.write_bytes(rechained(content))
    ChangeRecord(record.path).append(Kind.NOTE)
    assert verify(record).is_whole, "nobody can find this from the files alone"
    found = verify(record, written_down)
    assert found.first.number == 5
    assert "as written down" in found.first.text


def test_missing_head_is_found(record):
    record.path.with_suffix(".head").unlink()
    assert "head is missing" in verify(record).first.text


def test_missing_record_is_found(record):
    record.path.unlink()
    assert "5 entries were acknowledged" in verify(record).first.text


def test_entry_written_otherwise_is_found(record):
    new = lines(record)
    new[1] = new[1].replace(b'","', b'", "', 1)
    record.path.write_bytes(b"".join(new))
    assert verify(record).first.number == 2


@pytest.mark.parametrize("line", [b"no entry", b"[1]", b'{"number":NaN}', b"\xff\xfe", b"[" * 9999])
def test_line_that_is_no_entry_is_found(record, line):
    new = lines(record)
    new[3] = line + b"\n"
    record.path.write_bytes(b"".join(new))
    assert verify(record).first.number == 4


def test_torn_line_is_put_aside_and_nothing_else_is_lost(record):
    torn = lines(record)[4][:40]
    with record.path.open("ab") as file:
        file.write(torn)
    assert verify(record).is_whole
    assert verify(record).n_unfinished == 40
    record.append(Kind.NOTE, data={"text": "after"})
    kinds = [entry.kind for entry in record.entries()]
    assert kinds == ["note"] * 5 + ["repaired", "note"]
    assert record.path.with_suffix(".torn").read_bytes() == torn + b"\n"
    assert verify(record).is_whole


def test_entry_without_acknowledgement_is_taken_over(record):
    other = ChangeRecord(record.path.parent / "copy.jsonl")
    other.path.write_bytes(record.path.read_bytes())
    # The head of a moment before: the process died between file and head.
    with other.writing():
        pass
    with other.path.open("ab") as file:
        entry = record.append(Kind.NOTE, data={"text": "sixth"})
        file.write(entry.line)
    assert verify(other).is_whole
    assert verify(other).n_entries == 6
    other.append(Kind.NOTE, data={"text": "seventh"})
    assert [entry.number for entry in other.entries()] == [1, 2, 3, 4, 5, 6, 7]
    assert verify(other).is_whole


def test_forged_line_behind_the_head_is_found_and_put_aside(record):
    forged = lines(record)[4].replace(b"entry 5", b"entry 6")
    with record.path.open("ab") as file:
        file.write(forged)
    assert "behind the head" in verify(record).first.text
    record.append(Kind.NOTE)
    assert verify(record).is_whole
    assert forged in record.path.with_suffix(".torn").read_bytes()


def test_appending_after_a_cut_keeps_the_evidence(record):
    record.path.write_bytes(b"".join(lines(record)[:3])[:-5])
    record.append(Kind.NOTE, data={"text": "after"})
    found = verify(record)
    assert found.first.number == 3
    assert [entry.kind for entry in record.entries()][-2:] == ["repaired", "note"]
    assert record.entries()[-1].number == 7


def test_damaged_head_is_one_clear_error(record):
    record.path.with_suffix(".head").write_bytes(b"no database at all, just text " * 40)
    with pytest.raises(ChangeError, match=r"record\.head.*must be the head"):
        record.append(Kind.NOTE)
    with pytest.raises(ChangeError, match=r"record\.head.*must be the head"):
        verify(record)


def test_malformed_anchor_is_one_clear_error(record):
    with pytest.raises(ChangeError, match="must be number:hash"):
        verify(record, "12")


def test_names_are_kept_in_any_writing(record):
    record.append(Kind.NOTE, actor="Жанна Müller", data={"text": "温度 \ud800"})
    assert record.entries()[-1].actor == "Жанна Müller"
    assert verify(record).is_whole


APPENDING = """
import sys
from pathlib import Path
from gigatwin.twin.changes.entry import Kind
from gigatwin.twin.changes.record import ChangeRecord
record = ChangeRecord(Path(sys.argv[1]))
print("ready", flush=True)
for n in range(int(sys.argv[3])):
    entry = record.append(Kind.NOTE, actor=sys.argv[2], data={"n": n, "pad": "x" * 2000})
    print(entry.number, flush=True)
"""


def start(path, name, n):
    return subprocess.Popen(
        [sys.executable, "-c", APPENDING, str(path), name, str(n)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_append_at_once(tmp_path):
    path = tmp_path / "record.jsonl"
    running = [start(path, name, 40) for name in ("one", "two")]
    for process in running:
        process.communicate()
        assert process.returncode == 0
    record = ChangeRecord(path)
    assert verify(record).is_whole
    for name in ("one", "two"):
        found = [entry.data["n"] for entry in record.entries() if entry.actor == name]
        assert found == list(range(40))


def test_nothing_acknowledged_is_lost_when_a_process_is_killed(tmp_path):
    path = tmp_path / "record.jsonl"
    acknowledged = 0
    for moment in (2, 15):
        process = start(path, "victim", 100_000)
        seen = [process.stdout.readline() for _ in range(1 + moment)]
        process.kill()
        rest = process.stdout.read().splitlines()
        process.stdout.close()
        process.wait()
        acknowledged = int(([*seen, *rest])[-1])
        record = ChangeRecord(path)
        found = verify(record)
        assert found.is_whole, found.flaws
        assert found.n_entries >= acknowledged
    record.append(Kind.NOTE, data={"text": "the next process"})
    assert verify(record).is_whole
    assert record.entries()[acknowledged - 1].number == acknowledged
