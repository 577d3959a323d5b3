"""What a package exports is complete and there (ruff RUF022 sees to the order)."""

import ast
import importlib

import pytest

from tests.architecture.sources import MODULES

PACKAGES = {name: file for name, file in MODULES.items() if file.name == "__init__.py"}


def imported_names(file):
    """Return the public names that a package's ``__init__`` takes from inside the project."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gigatwin")
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_exports_are_there(name):
    package = importlib.import_module(name)
    exported = list(getattr(package, "__all__", []))
    assert len(exported) == len(set(exported)), f"{name}.__all__ has a name twice"
    missing = [export for export in exported if not hasattr(package, export)]
    assert missing == [], f"{name}.__all__ names what is not there"


@pytest.mark.parametrize("name", PACKAGES)
def test_exports_are_complete(name):
    package = importlib.import_module(name)
    forgotten = imported_names(PACKAGES[name]) - set(getattr(package, "__all__", []))
    assert forgotten == set(), f"{name} re-exports these, but __all__ does not list them"


def test_root_exports_the_whole_path():
    # From a description to an answer without knowing the packages.
    exported = set(importlib.import_module("gigatwin").__all__)
    assert {"compare", "learn", "load", "simulate"} <= exported


@pytest.mark.parametrize("name", MODULES)
def test_nobody_imports_the_root_from_inside(name):
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    from_root = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and node.module == "gigatwin")
        or (isinstance(node, ast.Import) and any(alias.name == "gigatwin" for alias in node.names))
    ]
    assert from_root == [], f"{name} imports the root in these lines; import from the module"
