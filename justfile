# `just` alone lists the recipes. The dev extra brings `just` with it (rust-just).

set positional-arguments

_default:
    @just --list

# What CI runs: format, lint, types, imports, tests.
check: fmt lint types imports test

# Tell where the format differs; `just fmt-fix` changes it.
fmt:
    ruff format --check .

# Format every file.
fmt-fix:
    ruff format .
    ruff check --fix .

lint:
    ruff check .

types:
    mypy

# Imports go downwards only.
imports:
    lint-imports

# All tests; arguments go to pytest: `just test tests/unit -x`.
test *arguments:
    pytest "$@"

# The kernel as plain Python: the same results, and line coverage is possible.
test-interpreted *arguments:
    NUMBA_DISABLE_JIT=1 pytest tests/unit tests/property "$@"

# The documentation, warnings as errors, and its doctests.
docs:
    sphinx-build -W --keep-going -q -b html docs docs/_build/html
    sphinx-build -W --keep-going -q -b doctest docs docs/_build/doctest

# Times beside targets and peers (extra `benchmarks`); `--markdown docs/benchmarks.md` keeps them.
bench *arguments:
    python -m benchmarks "$@"

# How well lines are learned, over random lines and public logs (half an hour).
bench-learning *arguments:
    python -m benchmarks.learning --markdown docs/learning-trials.md "$@"

# How exact and fast the models of machines are, and what tuning yields (ten minutes).
bench-machines *arguments:
    python -m benchmarks.machines --markdown docs/machine-trials.md "$@"

# docs/validation.md, from the cases with exact results (two minutes).
validation-page:
    python -m tests.validation.page

# The example line, simulated, with its report.
demo:
    gigatwin demo
