"""The page on learning from records: its worked example runs, and its tables are complete."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gigatwin.events import CaseMapping, StateMapping, read_case_log
from gigatwin.factory import load
from gigatwin.standards.machine_states import MachineState

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "learning-from-records.md").read_text(encoding="utf-8")


AT_ONCE = 7
"""Place of the column that the page leaves out: parts at once, behind the law."""


def number(word):
    try:
        return float(word)
    except ValueError:
        return None


def section(title):
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def blocks(text, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """The folder in which the commands of the worked example have run, and what they printed."""
    folder = tmp_path_factory.mktemp("worked")
    example = section("A worked example")
    (folder / "plant.yaml").write_text(blocks(example, "yaml")[0], encoding="utf-8")
    printed = {}
    for line in "".join(blocks(example, "sh")).splitlines():
        done = subprocess.run(
            [sys.executable, "-m", "gigatwin.cli", *line.split()[1:]],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        printed[line] = done.stdout
    return folder, printed


@pytest.mark.compiled
def test_worked_example_finds_the_truth(worked):
    folder, _ = worked
    truth, found = load(folder / "plant.yaml").stations, load(folder / "line.yaml").stations
    assert list(found) == list(truth)
    for name, station in truth.items():
        mean = found[name].time.estimates["mean"]
        assert mean.low <= station.time.mean <= mean.high
    fault, breakdown = truth["welding"].stops["fault"], found["welding"].stops["breakdown"]
    between, repair = breakdown.every.estimates["mean"], breakdown.duration.estimates["mean"]
    assert between.low <= fault.every <= between.high
    assert repair.low <= fault.duration.mean <= repair.high
    assert not found["cutting"].stops
    assert not found["testing"].stops
    assert found["welding"].buffer.estimates["capacity"].is_identified
    assert found["welding"].buffer.capacity == truth["welding"].buffer.capacity
    assert not found["testing"].buffer.estimates["capacity"].is_identified
    assert (folder / "learned.html").stat().st_size > 0


@pytest.mark.compiled
def test_worked_example_prints_what_the_page_shows(worked):
    _, printed = worked
    learned = next(text for line, text in printed.items() if line.startswith("gigatwin learn"))
    (shown,) = blocks(section("A worked example"), "text")
    for row in shown.splitlines()[1:]:
        words = row.split()
        line = next(text for text in learned.splitlines() if text.split()[:1] == words[:1])
        found = line.split()
        del found[AT_ONCE]
        assert [number(word) for word in found[: len(words)]] == [
            # The last digit may depend on the processor.
            pytest.approx(number(word), rel=0.02) if number(word) is not None else None
            for word in words
        ]
    verified = next(text for line, text in printed.items() if line.startswith("gigatwin verify"))
    assert "The line is verified against this log." in verified


@pytest.mark.compiled
def test_recorded_states_leave_no_stop_in_doubt(worked):
    folder, _ = worked
    truth = load(folder / "plant.yaml").stations["welding"].stops["fault"]
    stops = load(folder / "line-with-states.yaml").stations["welding"].stops
    between = stops["breakdown"].every.estimates["mean"]
    assert between.low <= truth.every <= between.high


def test_columns_of_the_log_shown_are_guessed(tmp_path):
    (text,) = blocks(section("What log is needed"), "text")
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    (first, *_) = blocks(section("What log is needed"), "yaml")
    shown = CaseMapping.model_validate(yaml.safe_load(first))
    guessed = read_case_log(tmp_path / "log.csv").mapping
    assert guessed == shown.model_copy(update={"time_zone": None})


def test_mappings_shown_are_valid():
    first, second, states = blocks(section("What log is needed"), "yaml")
    for text in (first, second):
        CaseMapping.model_validate(yaml.safe_load(text))
    words = StateMapping.model_validate(yaml.safe_load(states)).words
    assert words
    assert {word.upper() for word in words.values()} <= set(MachineState.__members__)


@pytest.mark.parametrize("mapping", [CaseMapping, StateMapping])
def test_every_key_of_a_mapping_is_explained(mapping):
    rows = [line for line in section("What log is needed").splitlines() if line.startswith("| `")]
    keys = {key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert set(mapping.model_fields) <= keys
