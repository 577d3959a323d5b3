"""What a machine is: settings, axes, activities, limits, and what speed costs."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, Tag, WithJsonSchema, model_validator

from gigatwin.equipment.motion.cams import CamLaw
from gigatwin.factory.described import BY_FORMAT, EITHER, VALUE, ByFormat, Described, Name, Names


def _as_text(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if is_number else value


_LONGEST = 500
_SCHEMA = WithJsonSchema({"type": ["string", "number"], "examples": ["0.15 m / vf"]})
Expression = Annotated[
    str, BeforeValidator(_as_text), Field(min_length=1, max_length=_LONGEST), _SCHEMA
]
"""A formula with units over settings, dimensions of the format and constants."""
Measure = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(min_length=1, max_length=_LONGEST),
    WithJsonSchema({"type": ["string", "number"], "examples": ["1.5 m/s"]}),
]
"""A number with its unit."""
FormatMeasure = Annotated[
    Annotated[Measure, Tag(VALUE)] | Annotated[ByFormat[Measure], Tag(BY_FORMAT)], EITHER
]
"""A number with its unit, or one for each format."""
Lever = Literal["waits", "overlap", "dynamics", "recipe", "capital"]
"""What kind of change a setting is, in the order of what it costs."""
LEVERS: tuple[Lever, ...] = ("waits", "overlap", "dynamics", "recipe", "capital")
"""Kinds of changes, the cheapest first."""
Relative = Annotated[float, Field(ge=0, le=1)]
"""Half the width of a 95 % interval, relative to the value."""


class Setting(Described):
    """Something an engineer can set on the machine, with the range that its maker allows."""

    default: FormatMeasure
    """Value as delivered; may differ by format."""
    low: Measure
    """Smallest value allowed."""
    high: Measure
    """Largest value allowed."""
    lever: Lever = "recipe"
    """What changing it is: ``waits`` (a fixed timer becomes event-driven), ``overlap``,
    ``dynamics`` (speed, acceleration, jerk), ``recipe`` (the process itself), ``capital`` (hardware
    has to be bought)."""
    steps: tuple[Measure, ...] = ()
    """The only values possible, where not all between low and high are."""


class Bounds(Described):
    """A range."""

    low: Measure
    """Smallest value."""
    high: Measure
    """Largest value."""


class Drive(Described):
    """What moves an axis, and what it can bear."""

    inertia: Expression
    """Moved mass [kg], or moment of inertia at the axis [kg m^2] when it turns."""
    friction: Expression = "0"
    """Force [N] or torque [N m] that motion at constant speed takes; left out: none."""
    peak: Expression | None = None
    """Largest force or torque for a short time."""
    continuous: Expression | None = None
    """Largest root mean square of force or torque over the cycle."""
    speed: Expression | None = None
    """Largest speed."""


class Vibration(Described):
    """How the tool on an axis swings after a move."""

    frequency: Expression
    """Lowest natural frequency."""
    damping: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the critical damping."""
    tolerance: Expression
    """Amplitude at which work may begin."""


class Web(Described):
    """A web that an axis winds: what its roll and its tension ask for."""

    core_radius: Expression
    """Radius of the core."""
    thickness: Expression
    """Thickness of all webs wound together."""
    length: Expression
    """Length of web in a finished roll."""
    inertia: Expression
    """Moment of inertia that the web has to turn, at the core."""
    tension: Expression
    """Tension at constant speed."""
    most_deviation: Relative = 0.05
    """Largest relative deviation of the tension while the web accelerates."""
    spindle_speed: Expression | None = None
    """Largest turning speed of the spindle."""


class Axis(Described):
    """An axis with jerk-limited moves from rest to rest."""

    speed: Expression
    """Speed that moves are commanded with. [m/s or rad/s]"""
    acceleration: Expression
    """Acceleration of moves."""
    jerk: Expression
    """Jerk of moves."""
    travel: Bounds | None = None
    """Where the axis can be; left out: anywhere."""
    poses: dict[Name, Expression] = Field(default_factory=dict)
    """Named places on it; they may differ by format through the dimensions they are made of."""
    drive: Drive | None = None
    """Its drive; left out: no limits of the drive are checked."""
    vibration: Vibration | None = None
    """How its tool swings; left out: not at all."""
    web: Web | None = None
    """The web it winds; left out: it winds none."""


class Dial(Described):
    """A cam-driven or servo-driven indexing dial with a law of motion."""

    law: CamLaw
    """Law of motion."""
    inertia: Expression
    """Moment of inertia at the dial."""
    torque: Expression
    """Peak torque of the drive at the dial."""
    speed: Expression
    """Top speed of the dial."""
    continuous: Expression | None = None
    """Largest root mean square torque over the cycle."""


StepKind = Literal["move", "index", "process", "timer", "handshake", "vision"]
STEP_KINDS: tuple[StepKind, ...] = (
    "move", "index", "process", "timer", "handshake", "vision"
)  # fmt: skip
"""What a step can be."""


class Step(Described):
    """A part of an activity: exactly one of move, index, process, timer, handshake and vision."""

    move: Name | None = None
    """Axis that moves, by ``stroke`` or from pose ``start`` to pose ``end``."""
    index: Name | None = None
    """Dial that turns, by the angle ``stroke``."""
    process: Expression | None = None
    """Time that the process takes."""
    timer: Expression | None = None
    """Time that is waited whatever happens."""
    handshake: Expression | None = None
    """Time that two controls take to tell each other."""
    vision: Expression | None = None
    """Time of taking and judging a picture."""
    stroke: Expression | None = None
    """Length or angle of a move."""
    start: Name | None = None
    """Pose at the beginning of a move."""
    end: Name | None = None
    """Pose at the end of a move."""
    start_speed: Measure | None = None
    """Speed at the beginning of a flying move; left out: at rest."""
    end_speed: Measure | None = None
    """Speed at the end of a flying move; left out: at rest."""
    settle: bool = False
    """Whether to wait after a move until its vibration is within the axis's tolerance."""
    times: Annotated[int, Field(ge=1, le=1000)] = 1
    """How often it is done, one after the other."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of cycles in which it is done: a second try, a cleaning stroke."""
    name: str = ""
    """What it does, where its kind does not say enough."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in STEP_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            found = f"{', '.join(given)} together" if given else "none of them"
            message = f"give exactly one of {', '.join(STEP_KINDS)}, not {found}"
            raise ValueError(message)
        moves = self.move is not None or self.index is not None
        if moves and (self.stroke is None) == (self.start is None or self.end is None):
            message = "a move needs either stroke, or the poses start and end"
            raise ValueError(message)
        if moves and self.stroke is not None and (self.start is not None or self.end is not None):
            message = "a move needs either stroke, or the poses start and end"
            raise ValueError(message)
        if not moves and (self.stroke, self.start, self.end) != (None, None, None):
            message = "stroke, start and end belong to a move or index"
            raise ValueError(message)
        if self.move is None and (self.settle or self.start_speed or self.end_speed):
            message = "settle, start_speed and end_speed belong to a move"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> StepKind:
        """Which of the kinds it is."""
        return next(kind for kind in STEP_KINDS if getattr(self, kind) is not None)


class Activity(Described):
    """Something the machine does once in each cycle: steps one after the other."""

    steps: tuple[Step, ...]
    """What it consists of, one or more."""
    after: dict[Name, Annotated[int, Field(ge=0, le=1000)]] = Field(default_factory=dict)
    """Activity that must have ended before it begins, and how many cycles earlier: 0 in the same
    cycle, 1 in the cycle before."""
    overlap: Expression = "0 s"
    """Time before its end at which those after it may begin already."""
    places: Expression = "1"
    """How many cycles of it can be under way together."""
    cv: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Standard deviation over mean of its duration; 0: always the same."""

    @model_validator(mode="after")
    def _has_steps(self) -> Self:
        if not self.steps:
            message = "give one or more steps"
            raise ValueError(message)
        return self


class Circulating(Described):
    """Something of which there are a few, and which goes round: pallets, nests, grippers."""

    count: Expression = "1"
    """How many there are."""
    path: Annotated[Names, Field(min_length=1)]
    """Activities that one of them passes in each round, from first to last."""


class Term(Described):
    """One way in which a probability rises when a setting leaves its comfortable range.

    With x the distance beyond the knee in units of ``scale``, and 0 before it, a ``power`` term is
    ``weight * x**power``. A ``logistic`` term is ``weight / (1 + exp(-x))`` on both sides.
    """

    cause: str
    """What happens then, in words."""
    of: Expression
    """What the probability depends on."""
    above: Expression | None = None
    """Knee: it rises above this value."""
    below: Expression | None = None
    """Knee: it rises below this value."""
    scale: Expression = "1"
    """Distance from the knee that counts as one."""
    weight: Expression
    """Probability at distance one, or at the far end of a logistic term."""
    power: Annotated[float, Field(ge=1, le=6)] = 2.0
    """Power of the distance."""
    shape: Literal["power", "logistic"] = "power"
    """Form of the rise."""

    @model_validator(mode="after")
    def _one_knee(self) -> Self:
        if (self.above is None) == (self.below is None):
            message = "give either above or below"
            raise ValueError(message)
        return self


class DefectCurve(Described):
    """Probability that a cycle spoils an item, by the settings."""

    least: Expression
    """Probability with comfortable settings."""
    terms: tuple[Term, ...] = ()
    """What adds to it."""
    is_seen_here: bool = True
    """Whether the machine itself sees it, so that the item is scrap at once."""


class StopCurve(Described):
    """How often the machine stops, by the settings."""

    kind: Literal["breakdown", "micro_stop"] = "micro_stop"
    """What kind of stop it is."""
    per_cycle: Expression
    """Stops in a cycle with comfortable settings: ``1.2 / 1000``."""
    terms: tuple[Term, ...] = ()
    """What it grows by: a factor of 1 plus these."""
    duration: Measure
    """Mean time until it works again."""


class MachineEnergy(Described):
    """What the machine draws."""

    executing: Measure = "0 W"
    """Power while it works, drives without their moves."""
    standby: Measure = "0 W"
    """Power in every other state."""
    per_cycle: Expression = "0 J"
    """Energy of the process in each cycle."""
    drive_efficiency: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the electric energy that drives turn into motion; braking gives none back."""


class Limit(Described):
    """Something that must hold, with the reason."""

    value: Expression
    """What is limited."""
    most: Expression | None = None
    """Largest value."""
    least: Expression | None = None
    """Smallest value."""
    because: str
    """What happens otherwise."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.most is None and self.least is None:
            message = "give most, least or both"
            raise ValueError(message)
        return self


class Uncertainty(Described):
    """How well the description is known: 95 % half-widths, relative."""

    times: Relative = 0.02
    """Of each activity's duration."""
    knees: Relative = 0.2
    """Of each knee of the defect and stop curves."""
    weights: Relative = 0.3
    """Of each weight of these curves."""


class Fmu(Described):
    """A simulation of the machine by somebody else, as an FMI 2 or 3 co-simulation FMU."""

    file: Annotated[str, Field(min_length=1)]
    """The FMU, beside the description. Its code is run."""
    cycle_time: str
    """Output that holds the duration of the last finished cycle. [s]"""
    counter: str | None = None
    """Output that counts finished cycles; left out: one cycle is read."""
    inputs: dict[str, Expression] = Field(default_factory=dict)
    """Input or parameter of the FMU to its value, in SI units."""
    step: Measure = "10 ms"
    """Communication step; shorter than a cycle."""
    cycles: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Cycles to record."""
    skip: Annotated[int, Field(ge=0, le=100_000)] = 10
    """Cycles before that, which are not recorded."""


class Machine(Described):
    """What one machine does, down to its axes."""

    name: Name
    """Name of the machine."""
    evidence: Literal["synthetic", "vendor", "measured"] = "synthetic"
    """Where its numbers come from: made up to be plausible, a maker's data, or measured. Shown with
    every result."""
    items_per_cycle: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Items that leave in each cycle."""
    formats: Annotated[dict[Name, dict[Name, Measure]], Field(min_length=1)]
    """Formats it is set up for, each with the dimensions that formulas use: ``{height: 80 mm}``;
    all formats have the same ones."""
    accepts: dict[Name, Bounds] = Field(default_factory=dict)
    """Dimension to the range that the machine can be set up for."""
    settings: dict[Name, Setting] = Field(default_factory=dict)
    """What can be set."""
    constants: dict[Name, Expression] = Field(default_factory=dict)
    """Names for parts of formulas; each may use those before it."""
    axes: dict[Name, Axis] = Field(default_factory=dict)
    """Axes, by name."""
    dials: dict[Name, Dial] = Field(default_factory=dict)
    """Indexing dials, by name."""
    activities: dict[Name, Activity] = Field(default_factory=dict)
    """What it does in a cycle."""
    circulating: dict[Name, Circulating] = Field(default_factory=dict)
    """What there are only a few of."""
    zones: dict[Name, Annotated[Names, Field(min_length=2)]] = Field(default_factory=dict)
    """Places in which no two of these activities may be under way at a time."""
    fmu: Fmu | None = None
    """An FMU that gives the cycle time, in place of activities."""
    defects: dict[Name, DefectCurve] = Field(default_factory=dict)
    """What it spoils."""
    most_defects: Annotated[float, Field(gt=0, le=1)] | None = None
    """Process window: largest share of spoiled items that is allowed; left out: none is set."""
    stops: dict[Name, StopCurve] = Field(default_factory=dict)
    """What stops it."""
    energy: MachineEnergy | None = None
    """What it draws."""
    limits: dict[Name, Limit] = Field(default_factory=dict)
    """What else must hold."""
    uncertainty: Uncertainty = Field(default_factory=Uncertainty)
    """How well all this is known."""
    references: dict[Name, str] = Field(default_factory=dict)
    """What the marks in ``sources`` mean."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.activities) == (self.fmu is not None):
            message = "give either activities or fmu"
            raise ValueError(message)
        return self
