"""What ``import gigatwin`` offers, without importing it all at once."""

import subprocess
import sys

import pytest

import gigatwin
from gigatwin.factory.reading import load
from gigatwin.learning.learn import learn
from gigatwin.simulation.simulate import simulate
from gigatwin.studies.comparison import compare
from tests.unit.cli.conftest import ROOT


@pytest.mark.parametrize(
    ("name", "function"),
    [("load", load), ("simulate", simulate), ("compare", compare), ("learn", learn)],
)
def test_root_has_the_function_of_the_package(name, function):
    assert getattr(gigatwin, name) is function
    assert name in dir(gigatwin)


def test_root_imports_nothing_until_it_is_used():
    code = (
        "import sys, gigatwin\n"
        "print(*sorted(n for n in ('numba', 'polars', 'pydantic', 'yaml') if n in sys.modules))\n"
        "print(gigatwin.load('two-machine').name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["", "two-machine"]


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = gigatwin.simulat
