"""The command line, called in the process and as a program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gigatwin.cli.main import app

ROOT = Path(__file__).parents[3]
# A program started by a shell in the background ignores SIGINT; these must not.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from gigatwin.cli.main import app; app(prog_name='gigatwin')"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(folder):
    """Return a function that calls a command in the process, in an empty folder."""
    del folder

    def calling(*arguments, code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result

    return calling


@pytest.fixture
def start(folder):
    """Return a function that starts the program in an empty folder."""
    running = []

    def starting(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield starting
    for process in running:
        process.kill()
        process.communicate()
