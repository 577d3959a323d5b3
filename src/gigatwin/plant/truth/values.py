"""The numbers of a truth: how every station differs from its description."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Family = Literal["constant", "exponential", "shifted_lognormal", "log_logistic", "rectangular"]
"""Functional family of a random time."""


@dataclass(frozen=True, slots=True)
class CycleTruth:
    """How long a cycle takes at the speed and settings of the description."""

    mean_factor: float = 1.0
    """True mean over the described one."""
    family: Family = "constant"
    """Family of the times."""
    cv: float = 0.0
    """Standard deviation over mean of the times of one machine, before all slow changes."""
    floor: float = 0.0
    """Part of the mean that never varies (``shifted_lognormal``)."""
    slow_share: float = 0.0
    """Share of cycles that take longer (``shifted_lognormal``)."""
    slow_factor: float = 1.0
    """How much longer."""
    correlation: float = 0.0
    """Correlation of one time with the next, on the normal scale."""
    hidden_wait: float = 0.0
    """Part of the mean at speed 1 that a higher speed does not shorten."""
    wear_per_hour: float = 0.0
    """Growth of the mean with each hour of running since the last maintenance. [1/h]"""
    wear_limit: float = 0.05
    """Largest growth of the mean by wear."""
    night_factor: float = 1.0
    """Factor on the mean from 22 to 6 o'clock of the plant's clock."""
    discrepancy: float = 0.0
    """How far the effect of the settings of a described machine is off: the exponent of the
    described ratio of times is 1 plus this."""


@dataclass(frozen=True, slots=True)
class SpeedTruth:
    """What the speed does beside the time: a knee, and a band in which the machine vibrates."""

    low: float = 0.5
    """Lowest speed that the machine accepts, over the nominal one."""
    high: float = 1.3
    """Highest speed that the machine accepts, over the nominal one."""
    knee: float = 1.1
    """Speed from which on defects and stops grow."""
    knee_width: float = 0.05
    """How gradual the knee is."""
    knee_defects: float = 0.0
    """Growth of defects for each width beyond the knee."""
    knee_stops: float = 0.0
    """Growth of stops for each width beyond the knee."""
    band_centre: float = 1.2
    """Middle of the band in which the machine vibrates."""
    band_width: float = 0.02
    """Standard deviation of the band."""
    band_defects: float = 0.0
    """Growth of defects in the middle of the band."""
    band_stops: float = 0.0
    """Growth of stops in the middle of the band."""


@dataclass(frozen=True, slots=True)
class SettingTruth:
    """A setting whose best value moves with the speed."""

    initial: float
    """Value at the start. [unit]"""
    low: float
    """Lowest value that the machine accepts. [unit]"""
    high: float
    """Highest value that the machine accepts. [unit]"""
    unit: str = ""
    """Unit of its values."""
    best: float = 0.0
    """Best value at speed 1. [unit]"""
    best_per_speed: float = 0.0
    """How far the best value moves when the speed factor grows by 1. [unit]"""
    width: float = 1.0
    """Distance from the best value at which the two numbers below hold. [unit]"""
    defects: float = 0.0
    """Growth of defects at that distance; it goes with the square."""
    stops: float = 0.0
    """Growth of stops at that distance; it goes with the square."""


@dataclass(frozen=True, slots=True)
class StopTruth:
    """When a stop happens and how long it lasts."""

    interval_factor: float = 1.0
    """True mean interval over the described one; a plan is kept as it is."""
    shape: float = 1.0
    """Shape of the Weibull law of the interval; below 1 stops come in clusters."""
    duration_factor: float = 1.0
    """True mean duration over the described one."""
    duration_family: Family = "constant"
    """Family of the durations."""
    duration_cv: float = 0.0
    """Standard deviation over mean of the durations."""


@dataclass(frozen=True, slots=True)
class StationTruth:
    """Everything hidden about a station; all its machines share it."""

    cycle: CycleTruth = CycleTruth()
    """Times."""
    speed: SpeedTruth = SpeedTruth()
    """What the speed does."""
    settings: Mapping[str, SettingTruth] = field(default_factory=dict)
    """Settings by name, beside those that the description of its machine has."""
    stops: Mapping[str, StopTruth] = field(default_factory=dict)
    """Stops of the description, by name."""
    scrap_factor: float = 1.0
    """True probability of scrap over the described one."""
    defects_factor: float = 1.0
    """True probability of hidden defects over the described one."""
    false_rejects: float = 0.0
    """Probability that a good item is judged as bad."""
    missed_rejects: float = 0.0
    """Probability that a bad item is judged as good."""
    transfer_factor: float = 1.0
    """True time on the way in front of the station over the described one."""
    changeover_factor: float = 1.0
    """True time of a changeover over the described one."""
    acting_time: float = 1.5
    """How long an acting state lasts after a command. [s]"""
    early_stops: float = 0.0
    """By how much stops are more frequent when the plant is new."""
    early_hours: float = 100.0
    """Time in which that dies away. [h]"""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth about a plant."""

    stations: Mapping[str, StationTruth] = field(default_factory=dict)
    """Station to its truth; a station left out is as described."""
    sensor_noise: float = 0.0
    """Standard deviation over mean of a measured cycle time."""
