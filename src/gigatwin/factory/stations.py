"""Stations: a process step with identical machines in parallel, of one of six kinds."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from gigatwin.factory.described import (
    BY_FORMAT,
    EITHER,
    LIST,
    MAPPING,
    SHAPE,
    VALUE,
    ByFormat,
    Described,
    Name,
    Names,
)
from gigatwin.factory.durations import FormatDuration
from gigatwin.factory.resources import Crew
from gigatwin.factory.routing import Next
from gigatwin.factory.stops import Changeover, Stop
from gigatwin.units import (
    ItemsPerSecond,
    JoulesPerItem,
    JoulesPerMetre,
    MetresPerSecond,
    PositiveAmount,
    Ratio,
    Watts,
)

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""A number of items, 1 or more."""
FormatRatio = Annotated[
    Annotated[Ratio, Tag(VALUE)] | Annotated[ByFormat[Ratio], Tag(BY_FORMAT)], EITHER
]
"""A share, or one for each format."""
FormatAmount = Annotated[
    Annotated[PositiveAmount, Tag(VALUE)] | Annotated[ByFormat[PositiveAmount], Tag(BY_FORMAT)],
    EITHER,
]
"""A content, or one for each format."""
FormatCount = Annotated[
    Annotated[Count, Tag(VALUE)] | Annotated[ByFormat[Count], Tag(BY_FORMAT)], EITHER
]
"""A number of items, or one for each format."""
FormatRate = Annotated[
    Annotated[ItemsPerSecond, Tag(VALUE)] | Annotated[ByFormat[ItemsPerSecond], Tag(BY_FORMAT)],
    EITHER,
]
"""A rate, or one for each format."""
FormatSpeed = Annotated[
    Annotated[MetresPerSecond, Tag(VALUE)] | Annotated[ByFormat[MetresPerSecond], Tag(BY_FORMAT)],
    EITHER,
]
"""A speed, or one for each format."""


FormatText = Annotated[
    Annotated[float | str, Tag(VALUE)] | Annotated[ByFormat[float | str], Tag(BY_FORMAT)], EITHER
]
"""A number with any unit, or one for each format."""


def _number_or_word(value: object) -> str:
    return "<word>" if isinstance(value, str) and not value.strip().isdecimal() else VALUE


Capacity = Annotated[
    Annotated[Annotated[int, Field(ge=0, le=1_000_000_000)], Tag(VALUE)]
    | Annotated[Literal["unlimited"], Tag("<word>")],
    Discriminator(_number_or_word),
]
"""A number of places, or no limit."""
Probabilities = Annotated[
    Annotated[dict[Name, Ratio], Tag(MAPPING)] | Annotated[Literal["all"], Tag(VALUE)],
    Discriminator(lambda value: MAPPING if isinstance(value, dict) else VALUE),
]
"""Defect to detection probability, or every defect with certainty."""
Defects = Annotated[
    Annotated[Names, Tag(LIST)] | Annotated[Literal["all"], Tag(VALUE)],
    SHAPE,
]
"""Defects by name, or all."""


class Buffer(Described):
    """The places in front of a station: a buffer, a conveyor, or a path of vehicles."""

    capacity: Capacity = 0
    """Items that fit, on their way and waiting; 0: handed over directly."""
    transfer: FormatDuration = 0.0
    """Time an item is on its way; items keep their order."""
    vehicle: Crew | None = None
    """The resource that carries each item for the transfer time, if it is not a conveyor."""


class Input(Described):
    """Material that a station takes in beside the item it works on."""

    per_item: FormatAmount = 1.0
    """Content used for each item made ("3.9 m" of strip, "1 item")."""
    buffer: Buffer = Field(default_factory=lambda: Buffer(capacity=1))
    """The places in front of this input."""


class Output(Described):
    """What comes out of one cycle, where it is not just the item that went in."""

    count: FormatCount = 1
    """Items that come out: 18 strips from one coil."""
    content: FormatAmount | None = None
    """Content of each: "1500 m", "2900 kg"; left out: that of the item that went in, or 1."""
    per_product: FormatAmount = 1.0
    """At the start of the flow: content needed for one product of an order ("0.2 kg")."""


class SpeedEffects(Described):
    """Faster is not free: rates multiply by the speed factor to the power given here."""

    breakdown: float = 0.0
    """Exponent for the rate of breakdowns."""
    micro_stop: float = 0.0
    """Exponent for the rate of micro-stops."""
    defect: float = 0.0
    """Exponent for the probability of scrap and defects."""


class Finds(Described):
    """What a station looks for and what happens to an item with a finding."""

    defects: Probabilities = "all"
    """Defect to detection probability; ``all``: every defect, with certainty."""
    false_alarm: Ratio = 0.0
    """Probability that an item without a finding is called bad."""
    rework: Name | None = None
    """Station that a finding goes to; left out: it is scrap."""


OtherState = Literal[
    "starved",
    "blocked",
    "waiting_for_crew",
    "setup",
    "breakdown",
    "micro_stop",
    "planned_stop",
    "no_order",
]
"""States of a machine in which it does not process."""


class Energy(Described):
    """What a machine draws in each state, and for each item or metre."""

    executing: Watts = 0.0
    """Electric power while it processes."""
    standby: Watts = 0.0
    """Electric power in every other state that ``states`` does not name."""
    states: dict[OtherState, Watts] = Field(default_factory=dict)
    """Electric power in certain states, such as ``{blocked: 1 kW}``."""
    per_item: JoulesPerItem = 0.0
    """Electric energy for each item processed."""
    per_metre: JoulesPerMetre = 0.0
    """Electric energy for each metre processed."""
    heat_executing: Watts = 0.0
    """Heat (gas, steam) while it processes."""
    heat_standby: Watts = 0.0
    """Heat in every other state."""


class Recorded(Described):
    """What the records of a plant call a station."""

    activities: Names
    """What was done, as the log names it."""
    machines: Names = ()
    """Who did it, as the log names them; empty: anybody."""
    is_side_by_side: bool = False
    """Whether the activities run at the same time on one item, so that they are one visit here."""


class _Station(Described):
    """What all stations have."""

    recorded_as: Recorded | None = None
    """What a log calls it; left out: its own name."""
    line: Name = "line"
    """The production line (ISA-95) it belongs to; KPIs are given for each line."""
    buffer: Buffer = Field(default_factory=Buffer)
    """The places in front of the station."""
    next: Next | None = None
    """Where items go; left out: the next station of the file, and ``out`` after the last."""
    scrap: FormatRatio = 0.0
    """Share of items spoiled here and seen here."""
    defects: dict[Name, FormatRatio] = Field(default_factory=dict)
    """Defects made here that only an inspection finds: name to probability."""
    energy: Energy | None = None
    """What it uses."""


class _MachineStation(_Station):
    """What all stations with machines have."""

    machines: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Identical machines in parallel, fed from one buffer."""
    speed: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Factor on the speed of processing."""
    speed_effects: SpeedEffects = Field(default_factory=SpeedEffects)
    """What the speed factor does to stops and defects."""
    operators: Crew | None = None
    """Who is needed while an item is processed."""
    stops: dict[Name, Stop] = Field(default_factory=dict)
    """Breakdowns, micro-stops and planned stops, by name."""
    changeover: Changeover | None = None
    """Time to change format; left out: none is needed."""
    inputs: dict[Name, Input] = Field(default_factory=dict)
    """Other material used up for each item."""
    output: Output = Field(default_factory=Output)
    """What one cycle gives."""
    finds: Finds | None = None
    """What is looked for after processing."""
    repairs: Defects = ()
    """Defects that are mended here."""


class _TimedStation(_MachineStation):
    """A station whose cycle is given by a time, by a rate, or by the description of its machine."""

    time: FormatDuration | None = None
    """Processing time of one cycle at speed 1."""
    rate: FormatRate | None = None
    """Nominal rate of one machine ("12 ppm"), in place of ``time``."""
    cycle: Annotated[str, Field(min_length=1)] | None = None
    """Machine description that gives times, scrap, stops and energy, in place of ``time``: a file
    beside this one ("machines/winder.yaml") or a machine of the library ("winder"). What the
    station gives itself comes first."""
    settings: dict[Name, FormatText] = Field(default_factory=dict)
    """Settings of that machine that differ from its defaults: ``{vf: 0.35 m/s}``."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.time, self.rate, self.cycle).count(None) != 2:  # noqa: PLR2004 - one of three
            message = "give either time or rate, or a cycle"
            raise ValueError(message)
        if self.settings and self.cycle is None:
            message = "settings belong to a cycle; name the machine description with cycle"
            raise ValueError(message)
        return self


class DiscreteStation(_TimedStation):
    """Works on one item at a time."""

    kind: Literal["discrete"] = "discrete"
    """Kind of station."""


class AssemblyStation(_TimedStation):
    """Joins several inputs into one item."""

    kind: Literal["assembly"]
    """Kind of station."""

    @model_validator(mode="after")
    def _has_inputs(self) -> Self:
        if not self.inputs:
            message = "an assembly station needs inputs"
            raise ValueError(message)
        return self


class InspectionStation(_TimedStation):
    """Looks for defects that were made earlier."""

    kind: Literal["inspection"]
    """Kind of station."""
    finds: Finds = Field(default_factory=Finds)
    """What is looked for after processing."""


class BatchStation(_TimedStation):
    """Works on several items together for a dwell."""

    kind: Literal["batch"]
    """Kind of station."""
    size: FormatCount
    """Items that go in together. A batch also starts when the item behind it is of another
    format or order."""
    minimum: Count | None = None
    """Items with which a free machine starts; left out: a full batch."""


class WebStation(_MachineStation):
    """Runs a web from coil to coil; time is length over rate."""

    kind: Literal["web"]
    """Kind of station."""
    rate: FormatSpeed
    """Speed of the web at speed factor 1."""


class StorageStation(_Station):
    """Keeps each item for at least a dwell, first in, first out."""

    kind: Literal["storage"]
    """Kind of station."""
    capacity: Annotated[int, Field(ge=1, le=1_000_000_000)]
    """Items that fit."""
    dwell: FormatDuration
    """Time that each item stays at least."""


def _kind(value: object) -> str | None:
    kind = value.get("kind", "discrete") if isinstance(value, dict) else getattr(value, "kind", "")
    return kind if isinstance(kind, str) else None


KINDS = ("discrete", "assembly", "inspection", "batch", "web", "storage")
"""Kinds of stations."""
Station = Annotated[
    Annotated[DiscreteStation, Tag("discrete")]
    | Annotated[AssemblyStation, Tag("assembly")]
    | Annotated[InspectionStation, Tag("inspection")]
    | Annotated[BatchStation, Tag("batch")]
    | Annotated[WebStation, Tag("web")]
    | Annotated[StorageStation, Tag("storage")],
    Discriminator(_kind),
]
"""A station of any kind."""
