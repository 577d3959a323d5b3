"""The examples run, and what they claim holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

pytestmark = pytest.mark.compiled


def test_there_is_something_to_check():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_holds_what_it_claims(example, tmp_path):
    source = example.read_text(encoding="utf-8")
    assert source.startswith('"""'), "an example says what it asks"
    assert "\nassert " in source, "an example ends with what it claims"
    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert list(tmp_path.iterdir()) == []
