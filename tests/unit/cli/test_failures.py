"""Errors are one block on standard error with an exit code, and leave no files."""

import json
import os
import signal
import time

import pytest

DEADLOCK = """
name: circle
stations:
  first: {kind: discrete, time: 1 s}
  check:
    kind: inspection
    buffer: {capacity: 0}
    time: 1 s
    defects: {dent: 60 %}
    finds: {rework: mend}
    next: out
  mend: {kind: discrete, time: 5 s, buffer: {capacity: 0}, repairs: all, next: check}
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["two-machin"], "did you mean 'two-machine'"),
        (["two-machine", "--set", "first.speed"], "must be field=value"),
        (["two-machine", "--set", "first.sped=2"], "did you mean 'speed'"),
        (["two-machine", "--set", "first.speed=fast"], "fast; must be a valid number"),
        (["two-machine", "--set", "first.time=3 kg"], "3 kg; must be"),
        (["two-machine", "--set", "first.time=3"], "needs a unit, e.g. '12 s'"),
        (["two-machine", "--set", "first.speed=1", "--set", "first.speed=2"], "given twice"),
        (["two-machine", "--days", "0"], "days: 0.0; must be above 0"),
        (["two-machine", "--days", "nan"], "days: nan; must be above 0"),
        (["two-machine", "--days", "week"], "--days"),
        (["two-machine", "--replications", "0"], "replications: 0; must be 1 or more"),
        (["two-machine", "--threads", "0"], "threads: 0; must be 1 or more"),
        (["two-machine", "--warm-up", "8"], "--warm-up: 8; needs a unit"),
        (["two-machine", "--warm-up", "9 d"], "warm-up: 9 d; must be"),
        (["two-machine", "--precision", "2 s"], "--precision: 2 s"),
        (["two-machine", "--parameters", "mature"], "must be a parameter set"),
        (["two-machine", "--report", "no/out.html"], "must be in an existing folder"),
        (["two-machine", "--report", "out.yaml"], "must be .html or .htm"),
        (["two-machine", "--report", "."], "--report"),
        (["two-machine", "--trace", "out.csv"], "must be .parquet"),
    ],
)
def test_bad_input_is_named_with_exit_code_2(call, folder, arguments, message):
    result = call("run", *arguments, code=2)
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert list(folder.iterdir()) == []


def test_all_problems_of_a_file_are_reported(call, folder):
    (folder / "bad.yaml").write_text(
        "name: bad\n"
        "stations:\n"
        "  a: {kind: discrete, time: -3 s}\n"
        "  b: {kind: discrete, tme: 1 s}\n",
        encoding="utf-8",
    )
    text = call("run", "bad.yaml", code=2).stderr
    assert "problems" in text.splitlines()[0]
    assert "bad.yaml:3" in text
    assert "did you mean 'time'" in text


@pytest.mark.compiled
def test_failed_run_has_exit_code_1_and_leaves_no_file(call, folder):
    (folder / "circle.yaml").write_text(DEADLOCK, encoding="utf-8")
    result = call("run", "circle.yaml", "--report", "o.html", "--trace", "o.parquet", code=1)
    assert "deadlock" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["circle.yaml"]


def test_existing_output_survives_a_failed_command(call, folder):
    (folder / "out.html").write_text("mine", encoding="utf-8")
    call("run", "two-machine", "--report", "out.html", "--days", -1, code=2)
    assert (folder / "out.html").read_text(encoding="utf-8") == "mine"


def test_input_is_not_replaced_by_an_output(call, folder):
    (folder / "line.html").write_text("name: x", encoding="utf-8")
    text = call("run", "line.html", "--report", "line.html", code=2).stderr
    assert "also the input" in text


def test_device_is_no_output(call):
    assert "regular file" in call("schema", "--output", os.devnull, code=2).stderr


@pytest.mark.compiled
def test_output_is_checked_before_the_simulation(call, folder):
    # A year of the whole plant would not be over before the caller loses patience.
    call("run", "cylindrical-46", "--days", 365, "--report", folder / "no" / "x.html", code=2)


@pytest.mark.compiled
@pytest.mark.parametrize("extra", [[], ["--trace", "x.parquet", "--report", "x.html"]])
def test_interrupt_ends_a_run_and_leaves_no_file(start, folder, extra):
    process = start("run", "two-machine", "--days", "20000", *extra)
    time.sleep(4)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    # A second is what a quiet machine needs; the run itself would take minutes.
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert output == ""
    assert errors == "interrupted; no file was written\n"
    assert list(folder.iterdir()) == []


@pytest.mark.compiled
def test_json_in_a_pipe_has_no_signs_of_life(start):
    process = start("run", "two-machine", "--days", "0.02", "--replications", "2", "--json")
    output, errors = process.communicate(timeout=300)
    assert json.loads(output)["factory"] == "two-machine"
    assert errors == ""


@pytest.mark.compiled
def test_reader_who_leaves_early_is_no_error(start):
    process = start("schema")
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(timeout=60)
    assert "Traceback" not in errors
    assert "fault" not in errors
