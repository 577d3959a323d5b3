"""The modules of the package as files, for tests that read them."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "gigatwin"
FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(file: Path) -> str:
    """Return the dotted name of a source file."""
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in FILES}
"""Dotted name to file."""
STAGES = {
    name: file
    for name, file in MODULES.items()
    if name.count(".") == 1 and file.name == "__init__.py"
}
"""The packages directly below gigatwin."""


def docstring(file: Path) -> str:
    """Return the docstring of a source file, empty when it has none."""
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
