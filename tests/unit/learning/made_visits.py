"""Visits of a made-up shop whose true flow is known."""

import heapq
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

Path = Sequence[str]


def visits_of_paths(  # noqa: PLR0913 - options of a made-up shop
    paths: Sequence[Path],
    times: Mapping[str, float],
    machines: Mapping[str, int] | None = None,
    *,
    gap: float = 10.0,
    cv: float = 0.1,
    names: str = "case",
    seed: int = 1,
) -> pl.DataFrame:
    """Send cases on given paths, first come first served, without limits of buffers."""
    random = np.random.default_rng(seed)
    free = {name: [0.0] * ((machines or {}).get(name, 1)) for name in times}
    waiting = [(gap * (k + 1), k, 0) for k in range(len(paths))]
    rows = []
    while waiting:
        ready, case, place = heapq.heappop(waiting)
        station = paths[case][place]
        machine = int(np.argmin(free[station]))
        start = max(ready, free[station][machine])
        end = start + times[station] * max(0.2, 1.0 + cv * float(random.standard_normal()))
        free[station][machine] = end
        number = f"#{machine + 1}" if len(free[station]) > 1 else ""
        rows.append((f"{names}{case}", station, station + number, start, end))
        if place + 1 < len(paths[case]):
            heapq.heappush(waiting, (end, case, place + 1))
    columns = ["case", "activity", "machine", "start", "end"]
    return pl.DataFrame(rows, schema=columns, orient="row").sort("start")


def drawn_paths(n: int, seed: int, choices: Mapping[tuple[str, ...], float]) -> list[Path]:
    """Draw paths with given probabilities."""
    random = np.random.default_rng(seed)
    paths = list(choices)
    return [paths[k] for k in random.choice(len(paths), n, p=list(choices.values()))]
