"""Imports go downwards, and the command line starts without the heavy libraries."""

import os
import subprocess
import sys
import tomllib

from tests.architecture.sources import PACKAGE, ROOT, SOURCE

HEAVY = ("numba", "plotly", "polars", "pydantic", "scipy")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE)}


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_imports_go_downwards_only(tmp_path):
    result = run_python(
        "import sys\nfrom importlinter.cli import lint_imports\n"
        f"sys.exit(lint_imports(cache_dir={str(tmp_path)!r}, no_logo=True))"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_contracts_name_a_package_as_soon_as_it_exists():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    placeholders = {
        module.removeprefix("gigatwin.").removesuffix(".**")
        for contract in settings["tool"]["importlinter"]["contracts"]
        for key in ("source_modules", "forbidden_modules")
        for module in contract.get(key, [])
        if module.endswith(".**")
    }
    existing = {name for name in placeholders if (PACKAGE / name / "__init__.py").exists()}
    assert existing == set(), "these exist now: write the plain name in pyproject.toml"


def test_command_line_starts_without_heavy_libraries():
    result = run_python(
        "import sys, gigatwin.cli.main\n"
        f"print(*sorted(name for name in {HEAVY!r} if name in sys.modules))"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [], "import these inside the command that needs them"
