"""Vehicles: how long they take from place to place, and how many there are.

A transport is a visit with an origin and a destination, on the vehicle that made it.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from gigatwin.factory.durations import Duration
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.resources import Crew, Resource
from gigatwin.factory.stations import Buffer, Capacity
from gigatwin.learning.flow.servers import n_servers
from gigatwin.learning.provenance import rows_text
from gigatwin.learning.times.durations import empirical_law

Floats = NDArray[np.float64]
Pair = tuple[str, str]

_QUANTILE = 1.959963984540054
_HUBER = 1.345
_ROUNDS = 50
_FEW = 3


@dataclass(frozen=True)
class Trip:
    """The transport from one place to another."""

    time: Duration
    """Law of its duration."""
    mean: Estimate
    """Mean duration. [s]"""


@dataclass(frozen=True)
class Travel:
    """Time over distance: a speed, and the time to load and unload."""

    speed: Estimate
    """Speed. [m/s]"""
    handling: Estimate
    """Time at distance 0: loading and unloading. [s]"""

    def time(self, distance: float) -> float:
        """Return the time for a distance [m]. [s]."""
        return self.handling.value + distance / self.speed.value


@dataclass(frozen=True)
class Fleet:
    """Vehicles and their trips."""

    trips: dict[Pair, Trip]
    """Origin and destination to the trip between them."""
    n_vehicles: Estimate
    """Number of vehicles."""
    vehicles: tuple[str, ...]
    """Their names in the log."""
    travel: Travel | None
    """Time over distance; None when distances are not known, or do not explain the times."""
    empty_ratio: float
    """Share of transports before which the vehicle had to go elsewhere, empty."""
    note: str
    """What the numbers rest on, and what they leave out."""

    def resource(self) -> Resource:
        """Return the vehicles as a resource of a description."""
        return Resource(
            capacity=round(self.n_vehicles.value),
            description=f"Vehicles of the log: {', '.join(self.vehicles)}.",
            estimates={"capacity": self.n_vehicles},
        )

    def way_to(self, places: Collection[str], resource: str) -> Buffer | None:
        """Return the way to some places, from wherever vehicles came; None if none ever did.

        Parameters
        ----------
        places : collection of str
            Names of the place in the log.
        resource : str
            Name given to the vehicles in the description.
        """
        trips = [trip for (_, to), trip in self.trips.items() if to in places]
        if not trips:
            return None
        times = np.concatenate([np.full(trip.mean.n, trip.mean.value) for trip in trips])
        time = trips[0].time if len(trips) == 1 else empirical_law(times)
        return Buffer(capacity="unlimited", transfer=time, vehicle=Crew(resource=resource))

    def buffer(
        self, origin: str, destination: str, resource: str, capacity: Capacity = "unlimited"
    ) -> Buffer:
        """Return the way between two places as the buffer in front of the second.

        Parameters
        ----------
        origin, destination : str
            Places with trips between them.
        resource : str
            Name given to the vehicles in the description.
        capacity : int or "unlimited"
            Items on their way and waiting.

        Raises
        ------
        KeyError
            If no vehicle went from the origin to the destination.
        """
        trip = self.trips[origin, destination]
        return Buffer(
            capacity=capacity,
            transfer=trip.time,
            vehicle=Crew(resource=resource),
            estimates={"transfer": trip.mean},
        )


def find_fleet(
    transports: pl.DataFrame, distances: Mapping[Pair, float] | None = None
) -> Fleet | None:
    """Return the vehicles that made some transports, or None where there are no transports.

    Parameters
    ----------
    transports : polars.DataFrame
        Columns machine (the vehicle), origin, destination, start and end; ``row`` where known.
        Rows in which one of them is missing are left out.
    distances : mapping, optional
        Origin and destination to their distance. [m]
    """
    known = transports.drop_nulls(["machine", "origin", "destination", "start", "end"])
    known = known.sort("start", "end")
    if known.height == 0:
        return None
    trips = {}
    for (origin, destination), group in known.group_by(
        ["origin", "destination"], maintain_order=True
    ):
        times = (group["end"] - group["start"]).to_numpy()
        trips[str(origin), str(destination)] = Trip(
            empirical_law(times), _mean(times, rows_text(group))
        )
    vehicles = tuple(sorted(known["machine"].unique().to_list()))
    return Fleet(
        trips=trips,
        n_vehicles=_n_vehicles(known, len(vehicles)),
        vehicles=vehicles,
        travel=None if distances is None else _travel(known, distances),
        empty_ratio=(ratio := _empty_ratio(known)),
        note=(
            f"{known.height} transports between {len(trips)} pairs of places by {len(vehicles)} "
            f"vehicles. Before {100 * ratio:.3g} % of them the vehicle was left elsewhere; the "
            "time to come empty is not part of the trip."
        ),
    )


def _n_vehicles(known: pl.DataFrame, n_names: int) -> Estimate:
    starts, ends = known["start"].to_numpy(), known["end"].to_numpy()
    most = n_servers(starts, ends)
    has_own_name = all(
        n_servers(group["start"].to_numpy(), group["end"].to_numpy()) == 1
        for _, group in known.group_by("machine")
    )
    if has_own_name and n_names > 1:
        value, high = n_names, float(n_names)
        method = f"vehicles named; at most {most} on their way at once"
    else:
        value, high = most, None
        method = "largest number on their way at once; more may have stood idle"
    return Estimate(
        value=value,
        low=value,
        high=high,
        n=known.height,
        method=method,
        rows=rows_text(known),
        is_identified=high is not None,
    )


def _empty_ratio(known: pl.DataFrame) -> float:
    before = pl.col("destination").shift(1).over("machine")
    is_elsewhere = known.select((before != pl.col("origin")).drop_nulls().alias("elsewhere"))
    return (
        float(is_elsewhere["elsewhere"].sum() / is_elsewhere.height) if is_elsewhere.height else 0
    )


def _travel(known: pl.DataFrame, distances: Mapping[Pair, float]) -> Travel | None:
    """Return speed and handling time by Huber regression of time on distance."""
    table = pl.DataFrame(
        [(*pair, float(distance)) for pair, distance in distances.items()],
        schema={"origin": pl.String, "destination": pl.String, "distance": pl.Float64},
        orient="row",
    )
    rows = known.join(table, on=["origin", "destination"], maintain_order="left")
    x = rows["distance"].to_numpy()
    y = (rows["end"] - rows["start"]).to_numpy()
    n = len(x)
    if n < _FEW or np.ptp(x) == 0:
        return None
    design = np.column_stack((np.ones(n), x))
    weights = np.ones(n)
    coefficients = np.zeros(2)
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        latest, *_ = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
        settled = np.allclose(latest, coefficients, rtol=1e-9, atol=1e-12)
        coefficients = latest
        residuals = np.abs(y - design @ coefficients)
        scale = 1.4826 * float(np.median(residuals))
        if settled or scale <= 1e-9 * float(np.abs(y).max()):
            break
        weights = np.minimum(1.0, _HUBER * scale / np.maximum(residuals, 1e-300))
    handling, slope = float(coefficients[0]), float(coefficients[1])
    if slope <= 0:
        return None
    residuals = y - design @ coefficients
    variance = float(np.sum(weights * residuals**2)) / max(n - 2, 1)
    inverse = np.linalg.inv(design.T @ (design * weights[:, None]))
    errors = _QUANTILE * np.sqrt(np.maximum(np.diag(inverse), 0.0) * variance)
    text = rows_text(rows)
    method = "robust regression (Huber) of time on distance"
    fastest = slope - errors[1]
    speed = Estimate(
        value=1 / slope,
        low=1 / (slope + errors[1]),
        high=1 / fastest if fastest > 0 else None,
        unit="m/s",
        n=n,
        method=method,
        rows=text,
        is_identified=bool(fastest > 0),
    )
    return Travel(
        speed,
        Estimate(
            value=handling,
            low=handling - errors[0],
            high=handling + errors[0],
            unit="s",
            n=n,
            method=method,
            rows=text,
        ),
    )


def _mean(times: Floats, rows: str) -> Estimate:
    n, mean = len(times), float(times.mean())
    half = float(stats.t.ppf(0.975, n - 1) * times.std(ddof=1) / math.sqrt(n)) if n > 1 else 0.0
    return Estimate(
        value=mean,
        low=max(mean - half, 0.0) if n > 1 else 0.0,
        high=mean + half if n > 1 else None,
        unit="s",
        n=n,
        method="mean of the transports, Student's t",
        rows=rows,
        is_identified=n > 1,
    )
