"""The commands about changes, with the examples that their help ends with."""

from typing import Any

import typer

from gigatwin.cli.change.apply import apply
from gigatwin.cli.change.approve import approve
from gigatwin.cli.change.people_commands import add, end, list_people, make_key
from gigatwin.cli.change.propose import propose
from gigatwin.cli.change.record_commands import list_changes, rollback, show, verify

Examples = dict[Any, tuple[str, ...]]

EXAMPLES: Examples = {
    propose: (
        "gigatwin propose --store twin --set winding.speed=1.05 --reason 'oven waits' --by anna",
        "gigatwin propose my-line.yaml --store twin --set winding.settings.vf='0.45 m/s' \\",
        "    --reason 'shorter cycle' --by anna --watch '4 h' --watch-station welding",
    ),
    approve: (
        "gigatwin approve c3 --store twin --by boris",
        "gigatwin approve c3 --store twin --by boris --decline 'not in the night shift'",
    ),
    apply: (
        "gigatwin apply c3 --store twin --sink opc.tcp://127.0.0.1:4840 --by anna",
        "gigatwin apply c4 --store twin --by-hand --by anna --note 'two racks added'",
    ),
}
"""Commands of their own."""

changes = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What was changed in the plant, why, and what became of it.",
)
CHANGES_EXAMPLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "list": (
        list_changes,
        (
            "gigatwin changes list --store twin",
            "gigatwin changes list --store twin --station winding --outcome 'rolled back'",
        ),
    ),
    "show": (show, ("gigatwin changes show c3 --store twin",)),
    "verify": (
        verify,
        (
            "gigatwin changes verify --store twin",
            "gigatwin changes verify --store twin --head 42:5d1f...",
        ),
    ),
    "rollback": (
        rollback,
        (
            "gigatwin changes rollback c3 --store twin --by boris --reason 'noise' \\",
            "    --sink opc.tcp://127.0.0.1:4840",
        ),
    ),
}
"""Commands of ``gigatwin changes`` by name."""

people = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Who may propose and approve changes of the plant.",
)
PEOPLE_EXAMPLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "add": (
        add,
        (
            "gigatwin people add anna --store twin --right propose",
            "gigatwin people add boris --store twin --right approve --station winding \\",
            "    --largest-speed 1.1 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        ),
    ),
    "list": (list_people, ("gigatwin people list --store twin",)),
    "end": (end, ("gigatwin people end boris --store twin --by anna",)),
    "key": (make_key, ("gigatwin people key boris --passphrase",)),
}
"""Commands of ``gigatwin people`` by name."""
