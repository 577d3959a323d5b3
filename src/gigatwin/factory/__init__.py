"""What a plant is: frozen models of products, stations, resources and supply, read from YAML.

Reads: YAML factory descriptions, from files and from ``library/``.
Writes: YAML factory descriptions, and their JSON Schema.
"""

from gigatwin.factory.changes import with_changes, with_parameter_set
from gigatwin.factory.checks import check
from gigatwin.factory.described import ByFormat, Described
from gigatwin.factory.durations import (
    Distribution,
    Duration,
    Empirical,
    FormatDuration,
    Triangular,
    Uniform,
)
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import ConstantLoad, Factory
from gigatwin.factory.flow import (
    all_routes,
    feeders,
    routes_of,
    split_target,
    supplied_stations,
    targets_of,
)
from gigatwin.factory.product import Arrivals, Format, Order
from gigatwin.factory.reading import library_names, load, read_text
from gigatwin.factory.resources import Crew, Resource, Shifts, ShiftStep
from gigatwin.factory.routing import OUT, Next, Route, Shortest
from gigatwin.factory.schema import json_schema
from gigatwin.factory.stations import (
    AssemblyStation,
    BatchStation,
    Buffer,
    DiscreteStation,
    Energy,
    Finds,
    Input,
    InspectionStation,
    Output,
    SpeedEffects,
    Station,
    StorageStation,
    WebStation,
)
from gigatwin.factory.stops import Changeover, ChangeoverTime, Stop
from gigatwin.factory.uncertainty import drawn, has_estimates
from gigatwin.factory.writing import to_data, to_yaml, write

__all__ = [
    "OUT",
    "Arrivals",
    "AssemblyStation",
    "BatchStation",
    "Buffer",
    "ByFormat",
    "Changeover",
    "ChangeoverTime",
    "ConstantLoad",
    "Crew",
    "Described",
    "DiscreteStation",
    "Distribution",
    "Duration",
    "Empirical",
    "Energy",
    "Estimate",
    "Factory",
    "Finds",
    "Format",
    "FormatDuration",
    "Input",
    "InspectionStation",
    "Next",
    "Order",
    "Output",
    "Resource",
    "Route",
    "ShiftStep",
    "Shifts",
    "Shortest",
    "SpeedEffects",
    "Station",
    "Stop",
    "StorageStation",
    "Triangular",
    "Uniform",
    "WebStation",
    "all_routes",
    "check",
    "drawn",
    "feeders",
    "has_estimates",
    "json_schema",
    "library_names",
    "load",
    "read_text",
    "routes_of",
    "split_target",
    "supplied_stations",
    "targets_of",
    "to_data",
    "to_yaml",
    "with_changes",
    "with_parameter_set",
    "write",
]
