"""How long a person waits for the first event: ever, later, and for the help."""

import os
import tempfile

from benchmarks.measuring import REPEATS, run_python
from benchmarks.table import Row, at_most

_FIRST_EVENT = """
import gigatwin
from gigatwin.compiler import compile_factory
from gigatwin.simulation.run import Run

run = Run(compile_factory(gigatwin.load("serial-40")))
run.advance(1.0)
print(run.state.control[0]["n_events"])
"""
_HELP = "import sys; sys.argv[0] = 'gigatwin'; from gigatwin.cli.main import app; app()"


def start_rows(_share: float) -> list[Row]:
    """Return the rows of the first start, when the kernel is compiled, and of later ones."""
    with tempfile.TemporaryDirectory() as folder:
        # Numba's own variable names the folder that this process uses: it must not be inherited.
        environment = {key: text for key, text in os.environ.items() if key != "NUMBA_CACHE_DIR"}
        environment["XDG_CACHE_HOME"] = folder
        first = run_python(["-c", _FIRST_EVENT], environment)
        later = [run_python(["-c", _FIRST_EVENT], environment) for _ in range(REPEATS)]
    for sample in (first, *later):
        if int(sample.result) < 1:
            message = "no event was simulated."
            raise RuntimeError(message)
    seconds = min(sample.seconds for sample in later)
    return [
        at_most("first start ever, kernel compiled, wall", first.seconds, 40, "s"),
        at_most("later starts to the first event, wall", seconds, 1.5, "s"),
    ]


def help_rows(_share: float) -> list[Row]:
    """Return the row of the command line's help."""
    samples = [run_python(["-c", _HELP, "--help"], os.environ) for _ in range(REPEATS + 1)]
    seconds = min(sample.seconds for sample in samples[1:])  # the first may write bytecode
    return [at_most("gigatwin --help, wall", seconds, 0.3, "s")]
