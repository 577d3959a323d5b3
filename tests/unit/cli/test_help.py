"""Help teaches, and answers at once."""

import subprocess
import sys

import pytest

from gigatwin.cli.main import app
from tests.unit.cli.conftest import ROOT

COMMANDS = (
    "run",
    "compare",
    "new",
    "validate",
    "schema",
    "learn",
    "verify",
    "demo",
    "plant",
    "sync",
    "status",
    "propose",
    "approve",
    "apply",
)
GROUPS = {
    "machine": ("show", "check", "tune", "compare", "limits", "new"),
    "connect": ("browse", "confirm"),
    "history": ("info", "query", "export", "verify", "compact", "retain"),
    "changes": ("list", "show", "verify", "rollback"),
    "people": ("add", "list", "end", "key"),
}
ALL = [
    *((name,) for name in COMMANDS),
    *((group, name) for group, names in GROUPS.items() for name in names),
]


def test_every_command_is_listed(call):
    text = call("--help").output
    assert [name for name in COMMANDS if f"  {name} " not in text] == []
    assert len(app.registered_commands) == len(COMMANDS)
    assert [group for group in GROUPS if f"  {group} " not in text] == []
    assert len(app.registered_groups) == len(GROUPS)
    for group, names in GROUPS.items():
        of_group = call(group, "--help").output
        assert [name for name in names if f"  {name} " not in of_group] == []


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_help_of_a_command_shows_how_it_is_used(call, command):
    text = call(*command, "--help").output
    _, _, examples = text.partition("Examples:\n")
    assert f"gigatwin {' '.join(command)}" in examples


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_every_option_says_what_it_does(call, command):
    lines = call(*command, "--help").output.partition("Examples:")[0].splitlines()
    options = [
        number
        for number, line in enumerate(lines)
        if line.startswith("  -") and "--help" not in line
    ]
    silent = [
        lines[number]
        for number in options
        if len(lines[number].split("  ", 2)[-1].split()) < 3 and not lines[number + 1].strip()
    ]
    assert silent == []


def test_no_command_shows_help(call):
    assert "First steps:" in call(code=2).output


def test_version_is_shown(call):
    assert call("--version").stdout.startswith("gigatwin ")


def test_mistyped_command_is_suggested(call):
    assert "Did you mean 'run'" in call("rnu", code=2).stderr


def test_help_imports_no_tables():
    # Rich is a dependency of Typer, but takes longer to import than the rest of our help.
    code = (
        "import sys\nfrom gigatwin.cli.main import app\n"
        "try:\n    app(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(*(name for name in ('rich', 'numpy', 'yaml') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == ""
