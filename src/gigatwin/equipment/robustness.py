"""What is left of a gain if the defect curves are not as described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gigatwin.equipment.line import MachineGroup, line_rate
from gigatwin.equipment.tuning import Tuning, best_settings_step, tune

Factors = Mapping[str, Mapping[str, float]]
"""Station to factors on its knees."""


@dataclass(frozen=True)
class OtherKnees:
    """A tuned line whose knees lie elsewhere."""

    name: str
    """Where they lie."""
    delivered_rate: float
    """Good items of the line as delivered, with these knees. [item/s]"""
    delivered_yield: float
    """Its first pass yield."""
    kept_gain: float
    """Relative gain of the settings that were found without knowing."""
    kept_yield: float
    """First pass yield with them."""
    new_gain: float
    """Relative gain of settings tuned with these knees."""
    new_yield: float
    """First pass yield with them."""


def moved_knees(groups: Sequence[MachineGroup], above: float, below: float) -> Factors:
    """Return factors on the knees of all defect curves, for `tune` and `line_rate`.

    Parameters
    ----------
    groups : sequence of MachineGroup
        The stations.
    above, below : float
        Factor on knees above which, and below which, defects rise.
    """
    return {
        group.name: {
            knee: above if term.above is not None else below
            for curve in group.model.defects
            for knee, term in zip(
                curve.knees, group.model.machine.defects[curve.name].terms, strict=True
            )
        }
        for group in groups
    }


def usual_moves(groups: Sequence[MachineGroup], share: float = 0.2) -> dict[str, Factors]:
    """Return the moves of knees that are worth looking at, by name.

    Every knee can move against the engineer (the comfortable range is narrower everywhere) or for
    him, or all values are lower or higher.
    """
    less, more = 1 - share, 1 + share
    percent = f"{100 * share:.0f} %"
    return {
        f"comfortable ranges {percent} narrower": moved_knees(groups, less, more),
        f"comfortable ranges {percent} wider": moved_knees(groups, more, less),
        f"all knees {percent} lower": moved_knees(groups, less, less),
        f"all knees {percent} higher": moved_knees(groups, more, more),
    }


def with_other_knees(
    groups: Sequence[MachineGroup], tuning: Tuning, name: str, factors: Factors
) -> OtherKnees:
    """Return what a tuned line makes with other knees, and what tuning it anew would give."""
    product_format = tuning.product_format
    base = line_rate(groups, product_format, factors=factors)
    settings = best_settings_step(tuning).settings
    kept = line_rate(groups, product_format, settings, factors)
    again = best_settings_step(
        tune(groups, product_format, tuning.yield_loss, factors, with_hardware=False)
    )
    return OtherKnees(
        name=name,
        delivered_rate=float(base.good_rate),
        delivered_yield=float(base.first_pass_yield),
        kept_gain=float(kept.good_rate) / float(base.good_rate) - 1,
        kept_yield=float(kept.first_pass_yield),
        new_gain=again.gain,
        new_yield=float(again.line.first_pass_yield),
    )
