"""Truths in files: YAML with the same names as the dataclasses, as much of it as differs."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml

from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings
from gigatwin.factory.findings import Path as Place
from gigatwin.plant.truth.drawing import draw_truth, plain_truth
from gigatwin.plant.truth.values import (
    CycleTruth,
    Family,
    SettingTruth,
    SpeedTruth,
    StationTruth,
    Truth,
)

_SEED = "seed"
_PARTS = {"cycle": CycleTruth, "speed": SpeedTruth}
_NAMED = ("settings", "stops")
_TINY = 1e-9
_BOUNDS = {
    **dict.fromkeys(
        ("mean_factor", "night_factor", "shape", "interval_factor", "slow_factor"), (0.01, 100.0)
    ),
    **dict.fromkeys(("knee_width", "band_width", "width", "early_hours"), (_TINY, math.inf)),
    **dict.fromkeys(("floor", "correlation"), (0.0, 0.99)),
    **dict.fromkeys(("slow_share", "hidden_wait", "false_rejects", "missed_rejects"), (0.0, 1.0)),
    **dict.fromkeys(("cv", "duration_cv"), (0.0, 10.0)),
    **dict.fromkeys(("initial", "best", "best_per_speed"), (-math.inf, math.inf)),
    "discrepancy": (-1.0, 10.0),
}
"""Least and most of the numbers that are not just 0 or more."""


def read_truth(factory: Factory, path: str | Path) -> Truth:
    """Return the truth in a file.

    Parameters
    ----------
    factory : Factory
        The factory it is about.
    path : str or Path
        YAML with ``seed`` (the truth to start from; left out: the description), ``sensor_noise``
        and ``stations``: station to the fields that differ.

    Raises
    ------
    FactoryError
        With all problems of the file.
    """
    findings = Findings(str(path))
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        findings.add((), f"{error}", "must be a YAML file that can be read")
        findings.raise_if_any()
    reader = _Reader(findings)
    truth = reader.truth(factory, {} if given is None else given)
    findings.raise_if_any()
    return truth


def truth_text(truth: Truth) -> str:
    """Return a truth as YAML that `read_truth` reads back."""
    plain = dataclasses.asdict(truth, dict_factory=dict)
    return yaml.safe_dump(plain, sort_keys=False)


class _Reader:
    """Fills in a truth, and notes what does not fit."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def truth(self, factory: Factory, given: object) -> Truth:
        fields = self._mapping((), given, (_SEED, "sensor_noise", "stations"))
        seed = fields.get(_SEED)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            self.findings.add((_SEED,), repr(seed), "must be a whole number")
            seed = None
        start = plain_truth(factory) if seed is None else draw_truth(factory, seed)
        stations = dict(start.stations)
        named = self._mapping(("stations",), fields.get("stations", {}), tuple(stations))
        for name, changes in named.items():
            stations[name] = self._station(stations[name], changes, ("stations", name))
        noise = start.sensor_noise
        if "sensor_noise" in fields:
            noise = self._number(("sensor_noise",), fields["sensor_noise"], noise)
        return Truth(stations, noise)

    def _station(self, start: StationTruth, given: object, place: Place) -> StationTruth:
        known = tuple(field.name for field in dataclasses.fields(StationTruth))
        changes: dict[str, Any] = {}
        for name, value in self._mapping(place, given, known).items():
            here = (*place, name)
            if name in _PARTS:
                changes[name] = self._filled(getattr(start, name), value, here)
            elif name in _NAMED:
                changes[name] = self._named(start, name, value, here)
            else:
                changes[name] = self._number(here, value, getattr(start, name))
        return dataclasses.replace(start, **changes)

    def _named(self, start: StationTruth, name: str, given: object, place: Place) -> dict[str, Any]:
        present: Mapping[str, Any] = getattr(start, name)
        filled = dict(present)
        new_names = name == "settings" and isinstance(given, Mapping)
        known = tuple(given) if new_names and isinstance(given, Mapping) else tuple(present)
        for key, value in self._mapping(place, given, known).items():
            begin = present.get(key)
            if begin is None:
                begin = SettingTruth(initial=0.0, low=0.0, high=0.0)
            filled[key] = self._filled(begin, value, (*place, key))
        return filled

    def _filled(self, start: Any, given: object, place: Place) -> Any:  # noqa: ANN401 - any part
        known = tuple(field.name for field in dataclasses.fields(start))
        changes: dict[str, Any] = {}
        for name, value in self._mapping(place, given, known).items():
            present = getattr(start, name)
            if name.endswith("family"):
                changes[name] = self._family((*place, name), value, present)
            elif isinstance(present, str):
                changes[name] = str(value)
            else:
                changes[name] = self._number((*place, name), value, present)
        return dataclasses.replace(start, **changes)

    def _mapping(self, place: Place, given: object, known: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            self.findings.add(place, repr(given), "must be a mapping of names to values")
            return {}
        unknown = [name for name in given if name not in known]
        for name in unknown:
            what = "a known name here"
            self.findings.add_unknown((*place, str(name)), str(name), known, what)
        return {name: value for name, value in given.items() if name not in unknown}

    def _number(self, place: Place, value: object, otherwise: float) -> float:
        least, most = _BOUNDS.get(str(place[-1]), (0.0, math.inf))
        if place[-1] in {"low", "high"} and "settings" in place:
            least = -math.inf
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.findings.add(place, repr(value), "must be a number")
        elif not (math.isfinite(value) and least <= value <= most):
            upper = "" if most == math.inf else f" and at most {most:g}"
            self.findings.add(place, repr(value), f"must be at least {least:g}{upper}")
        else:
            return float(value)
        return otherwise

    def _family(self, place: Place, value: object, otherwise: Family) -> Family:
        for family in get_args(Family):
            if value == family:
                return family  # type: ignore[no-any-return]  # one of the literals
        self.findings.add(place, repr(value), f"must be one of {', '.join(get_args(Family))}")
        return otherwise
