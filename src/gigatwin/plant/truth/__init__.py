"""What the virtual plant really does; nothing outside of the plant may read it."""

from gigatwin.plant.truth.drawing import draw_truth, plain_truth
from gigatwin.plant.truth.file import read_truth, truth_text
from gigatwin.plant.truth.values import (
    CycleTruth,
    SettingTruth,
    SpeedTruth,
    StationTruth,
    StopTruth,
    Truth,
)

__all__ = [
    "CycleTruth",
    "SettingTruth",
    "SpeedTruth",
    "StationTruth",
    "StopTruth",
    "Truth",
    "draw_truth",
    "plain_truth",
    "read_truth",
    "truth_text",
]
