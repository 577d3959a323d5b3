"""One simulated day of the 46-series plant, in a process of its own for its peak memory.

``python -m benchmarks.plant_day DAYS`` fills the storages for so many days, then measures the day
after from a snapshot, and prints JSON.
"""

import json
import os
import resource
import sys
import time

from benchmarks.measuring import REPEATS, WrongResultError, in_turns, run_python
from benchmarks.table import Row, at_most
from gigatwin.compiler import compile_factory
from gigatwin.factory import load
from gigatwin.simulation.run import Run

_FULL = 13
"""Days from empty until cells leave and the storages are as full as they get. [d]"""
_DAY = 86_400.0
_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def rows(share: float) -> list[Row]:
    """Return the rows of CPU time and memory."""
    days = max(1, round(_FULL * share))
    sample = run_python(["-m", "benchmarks.plant_day", str(days)], os.environ)
    found = json.loads(sample.result)
    details = (
        f"{found['finished']:,} cells finished, {found['visits'] / 1e6:.2f} million visits, "
        f"{found['in_process'] / 1e6:.2f} million items in the plant"
    )
    filling = f"filled for {days} d in {found['filling']:.3g} CPU seconds; one snapshot included"
    return [
        at_most("cylindrical-46, one day when full, CPU", found["seconds"], 6, "s", details),
        at_most("cylindrical-46, peak memory", found["bytes"] / 1e9, 3, "GB", filling),
    ]


def measure(days: int) -> dict[str, float]:
    """Fill the plant, then measure the next day several times from the same snapshot."""
    compiled = compile_factory(load("cylindrical-46"))
    Run(compiled).advance(1.0)
    run = Run(compiled)
    begin = time.process_time()
    run.advance(days * _DAY)
    filling = time.process_time() - begin
    start = run.snapshot()
    before = _counts(run)
    seconds = []
    counts = []
    for _ in range(REPEATS):
        run.restore(start)
        day = in_turns({"day": lambda _: run.advance((days + 1) * _DAY)}, repeats=1)["day"][0]
        seconds.append(day.seconds)
        counts.append(_counts(run))
    if any(count != counts[0] for count in counts):
        message = "the same day from the same snapshot came out differently."
        raise WrongResultError(message)
    return {
        "seconds": min(seconds),
        "filling": filling,
        "finished": counts[0][0] - before[0],
        "visits": counts[0][1] - before[1],
        "in_process": counts[0][2],
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_UNIT,
    }


def _counts(run: Run) -> tuple[int, int, int, int]:
    """Return cells finished, items processed, items in the plant, and events so far."""
    flows, control = run.state.flows, run.state.control[0]
    present = len(run.state.items) - int(control["n_free"])
    return (
        int(flows["finished"].sum()),
        int(flows["processed"].sum()),
        present,
        int(control["n_events"]),
    )


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
