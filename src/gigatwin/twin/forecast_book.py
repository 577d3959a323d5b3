"""The forecasts that were given, and how good they were once their time was over."""

import json
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gigatwin.errors import TelemetryError
from gigatwin.twin.forecast import LEVELS, Forecast
from gigatwin.twin.scores import coverage, crps, interval

ALL = "all"
"""Name under which all formats together are scored."""
_HOUR = 3600.0
_PER_HORIZON = 100
"""Moments kept of the output in the time that the longest forecast looks ahead."""
_LATE = 0.02
"""Share of the horizon within which the output must be seen after its end, to be compared."""
_WIDE = 8.0
"""Patiences between two moments, at the most, for a moment between them to lie on a line."""
_LONGEST = 24.0
"""Time that is remembered when no forecast looks further ahead. [h]"""

Output = Mapping[str, int]
"""Products made since some beginning, by format."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecast of one format, or of all, came out."""

    number: int
    """Number of the forecast."""
    issued: float
    """Clock of the source, seconds since 1970 in UTC. [s]"""
    hours: float
    product_format: str
    made: float
    """Products that were made."""
    median: float
    """Products that the forecast expected."""
    crps: float
    """Score of the forecast. [products]"""
    is_in_50: bool
    is_in_90: bool
    last: float | None
    """Products made in as long a time before it was given; None: not known."""

    @property
    def crps_of_last(self) -> float | None:
        """Score of "the same as the last time". [products]."""
        return None if self.last is None else abs(self.made - self.last)


class ForecastBook:
    """Keeps forecasts until their time is over, and scores them then.

    Every line of its file is JSON: ``issued``, ``seen`` (output at a moment), ``scored``,
    ``dropped``. A line that was cut off when the process died is left out.

    Parameters
    ----------
    path : pathlib.Path, optional
        File to append to; left out, nothing is kept.

    Raises
    ------
    TelemetryError
        If the file is none of a book.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._pending: dict[int, dict[str, Any]] = {}
        self._seen: deque[tuple[float, dict[str, int]]] = deque()
        self._span = _LONGEST * _HOUR
        self._next = 1
        self.scores: list[Score] = []
        """All scores so far, in the order in which the forecasts ended."""
        self.n_dropped = 0
        """Forecasts whose end nobody saw."""
        if path is not None and path.exists():
            self._load(path)

    def issue(self, forecast: Forecast, output: Output) -> int:
        """Write down a forecast and return its number.

        Parameters
        ----------
        forecast : Forecast
            What was said.
        output : mapping
            Products made until now, by format, counted from any beginning.
        """
        number = self._next
        ensembles = {ALL: forecast.output().tolist()}
        if len(forecast.formats) > 1:
            ensembles |= {name: forecast.output(name).tolist() for name in forecast.formats}
        self._span = max(self._span, 2.0 * forecast.hours * _HOUR)
        entry = {
            "kind": "issued",
            "number": number,
            "issued": forecast.issued,
            "hours": forecast.hours,
            "runs": forecast.n_runs,
            "output": dict(output),
            "last": self._made_before(forecast.issued, forecast.hours * _HOUR, output),
            "ensembles": ensembles,
        }
        self._write(entry)
        self._take(entry)
        return number

    def see(self, time: float, output: Output) -> list[Score]:
        """Note the output at a moment; return the scores of the forecasts that are over by now.

        Parameters
        ----------
        time : float
            Clock of the source, seconds since 1970 in UTC; an earlier one than the last is left
            out. [s]
        output : mapping
            Products made until then, by format, counted from the same beginning as always.
        """
        if self._seen and time <= self._seen[-1][0]:
            return []
        ends = [self._end(entry) for entry in self._pending.values()]
        horizon = min((entry["hours"] for entry in self._pending.values()), default=8.0) * _HOUR
        last = self._seen[-1][0] if self._seen else -float("inf")
        # Both sides of an end are kept, so that the output at the end lies between them.
        passes = any(last < end <= time for end in ends)
        if not passes and time - last < horizon / _PER_HORIZON:
            return []
        entry = {"kind": "seen", "time": time, "output": dict(output)}
        self._write(entry)
        self._take(entry)
        return self._settle(time)

    def summary(self, hours: float | None = None, product_format: str = ALL) -> dict[str, Any]:
        """Return how good the forecasts were, as plain data.

        Parameters
        ----------
        hours : float, optional
            Only those that looked so far ahead. [h]
        product_format : str
            Format; ``all`` for all together.

        Returns
        -------
        dict
            ``n``, ``coverage_50`` and ``coverage_90``, ``crps`` and ``crps_of_last`` (both over the
            forecasts for which the last time is known), ``skill`` = 1 - crps / crps_of_last,
            ``error`` (mean relative difference of median and output) and ``n_dropped``; what cannot
            be said is None.
        """
        chosen = [
            s
            for s in self.scores
            if s.product_format == product_format and (hours is None or s.hours == hours)
        ]
        compared = [s for s in chosen if s.crps_of_last is not None]
        ours = float(np.mean([s.crps for s in compared])) if compared else None
        last = float(np.mean([s.crps_of_last for s in compared])) if compared else None
        made = [s for s in chosen if s.made > 0.0]
        return {
            "n": len(chosen),
            "coverage_50": float(np.mean([s.is_in_50 for s in chosen])) if chosen else None,
            "coverage_90": float(np.mean([s.is_in_90 for s in chosen])) if chosen else None,
            "crps": ours,
            "crps_of_last": last,
            "skill": 1.0 - ours / last if ours is not None and last else None,
            "error": float(np.mean([abs(s.median / s.made - 1.0) for s in made])) if made else None,
            "n_dropped": self.n_dropped,
        }

    @property
    def n_pending(self) -> int:
        """Number of forecasts whose time is not over."""
        return len(self._pending)

    # Scoring --------------------------------------------------------------------------------------

    @staticmethod
    def _end(entry: dict[str, Any]) -> float:
        return float(entry["issued"] + entry["hours"] * _HOUR)

    def _output_at(self, time: float, patience: float) -> dict[str, float] | None:
        """Return the output at a moment, between the two moments seen around it."""
        before = after = None
        for moment in self._seen:
            if moment[0] <= time:
                before = moment
            if moment[0] >= time:
                after = moment
                break
        near = [m for m in (before, after) if m is not None and abs(m[0] - time) <= patience]
        if after is None or not near:
            return None
        if before is None or after[0] - before[0] > _WIDE * patience:
            # One side is too far away to say what lies between.
            before = after = near[-1]
        gap = after[0] - before[0]
        share = (time - before[0]) / gap if gap > 0.0 else 1.0
        return {
            name: before[1].get(name, 0) + share * (count - before[1].get(name, 0))
            for name, count in after[1].items()
        }

    def _made_before(self, now: float, seconds: float, output: Output) -> dict[str, float] | None:
        then = self._output_at(now - seconds, seconds * 2.0 / _PER_HORIZON)
        if then is None:
            return None
        return {name: count - then.get(name, 0.0) for name, count in output.items()}

    def _settle(self, now: float) -> list[Score]:
        found: list[Score] = []
        line: dict[str, Any]
        for number, entry in list(self._pending.items()):
            end = self._end(entry)
            if end > now:
                continue
            at_end = self._output_at(end, _LATE * entry["hours"] * _HOUR)
            if at_end is None:
                line = {"kind": "dropped", "number": number}
                self._write(line)
                self._take(line)
                continue
            scores = self._scores(entry, at_end)
            line = {"kind": "scored", "number": number, "scores": [asdict(s) for s in scores]}
            self._write(line)
            self._take(line)
            found += scores
        return found

    def _scores(self, entry: dict[str, Any], at_end: Mapping[str, float]) -> list[Score]:
        made = {name: at_end[name] - entry["output"].get(name, 0) for name in at_end}
        made[ALL] = sum(made.values())
        last = entry["last"]
        if last is not None:
            last = {**last, ALL: sum(last.values())}
        found = []
        for name, ensemble in entry["ensembles"].items():
            observed = float(made.get(name, 0.0))
            bounds = [interval(ensemble, level) for level in LEVELS]
            inside = [bool(coverage(low, high, [observed])) for low, high in bounds]
            found.append(
                Score(
                    number=entry["number"],
                    issued=entry["issued"],
                    hours=entry["hours"],
                    product_format=name,
                    made=observed,
                    median=float(np.median(ensemble)),
                    crps=crps(ensemble, observed),
                    is_in_50=inside[0],
                    is_in_90=inside[1],
                    last=None if last is None else float(last.get(name, 0.0)),
                )
            )
        return found

    # Keeping --------------------------------------------------------------------------------------

    def _take(self, entry: dict[str, Any]) -> None:
        """Take over one line."""
        match entry["kind"]:
            case "issued":
                self._pending[entry["number"]] = entry
                self._next = entry["number"] + 1
                self._span = max(self._span, 2.0 * entry["hours"] * _HOUR)
            case "seen":
                self._seen.append((entry["time"], entry["output"]))
                while self._seen[0][0] < entry["time"] - self._span:
                    self._seen.popleft()
            case "scored":
                self.scores += [Score(**fields) for fields in entry["scores"]]
                self._pending.pop(entry["number"], None)
            case "dropped":
                self.n_dropped += 1
                self._pending.pop(entry["number"], None)
            case _:
                message = f"kind '{entry['kind']}'"
                raise ValueError(message)

    def _write(self, entry: dict[str, Any]) -> None:
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _load(self, path: Path) -> None:
        content = path.read_bytes()
        whole, _, rest = content.rpartition(b"\n")
        if rest:
            # The process died while it wrote this line; nobody has seen it.
            with path.open("r+b") as file:
                file.truncate(len(content) - len(rest))
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                message = (
                    f"{path}:{number}: {error}; must be a line of a book of forecasts. Move the "
                    "file away; a new one is begun, and past scores are lost."
                )
                raise TelemetryError(message) from None
