"""What ``gigatwin machine tune`` prints."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from gigatwin.cli.machine.numbers import percent, setting, signed
from gigatwin.cli.machine.sources import in_words
from gigatwin.cli.tables import console, table
from gigatwin.equipment.line import MachineGroup
from gigatwin.equipment.robustness import OtherKnees
from gigatwin.equipment.tuning import Tuning, TuningStep, best_settings_step

_SAME = 1e-6


def print_tunings(
    name: str,
    groups: Sequence[MachineGroup],
    tunings: Sequence[Tuning],
    robustness: Mapping[str, Sequence[OtherKnees]],
) -> None:
    """Print the steps for each format, and the settings that changed."""
    out = console()
    for evidence in dict.fromkeys(group.model.machine.evidence for group in groups):
        out.print(in_words(evidence))
    out.print(
        "Good items of machines that never wait for each other; run the line to see what its "
        "buffers make of it."
    )
    out.print()
    for tuning in tunings:
        out.print(_steps(name, tuning))
        changed = _settings(groups, tuning)
        if changed is not None:
            out.print(changed)
        if tuning.product_format in robustness:
            out.print(_robustness(tuning, robustness[tuning.product_format]))


def _steps(name: str, tuning: Tuning) -> Table:
    rows = [
        (
            ("+ " if k else "") + step.name,
            f"{step.good_rate * 60:.1f}",
            signed(step.gain) if k else "",
            percent(step.line.first_pass_yield),
            step.line.bottleneck,
        )
        for k, step in enumerate(tuning.steps)
    ]
    title = f"{name}, {tuning.product_format}: first pass yield {percent(tuning.floor)} % or more"
    headers = ("step", "good items [1/min]", "gain [%]", "yield [%]", "bottleneck")
    return table(title, headers, rows)


def _settings(groups: Sequence[MachineGroup], tuning: Tuning) -> Table | None:
    """Return the settings that changed, step by step; those of hardware steps may be others."""
    first, last = tuning.steps[0], best_settings_step(tuning)
    usual = [step for step in tuning.steps[1:] if step.hardware is None]
    rows = []
    for group in groups:
        for name, known in group.model.settings.items():
            before = first.settings[group.name][name]
            after = last.settings[group.name][name]
            if abs(after - before) <= _SAME * (known.high - known.low):
                continue
            rows.append(
                (
                    group.name,
                    name,
                    group.model.machine.settings[name].description,
                    setting(before, known),
                    *(_changed(step, group, name, before) for step in usual),
                )
            )
    if not rows:
        return None
    headers = ("station", "setting", "what it is", "delivered", *(step.name for step in usual))
    return table(f"Settings for {tuning.product_format} (without new hardware)", headers, rows, 3)


def _changed(step: TuningStep, group: MachineGroup, name: str, before: float) -> str:
    known = group.model.settings[name]
    value = step.settings[group.name][name]
    if abs(value - before) <= _SAME * (known.high - known.low):
        return ""
    return setting(value, known)


def _robustness(tuning: Tuning, found: Sequence[OtherKnees]) -> Table:
    last = best_settings_step(tuning)
    rows = [
        ("as described", signed(last.gain), percent(last.line.first_pass_yield), "", ""),
        *(
            (
                row.name,
                signed(row.kept_gain),
                percent(row.kept_yield),
                signed(row.new_gain),
                percent(row.new_yield),
            )
            for row in found
        ),
    ]
    title = f"If the knees of the defect curves lie elsewhere ({tuning.product_format})"
    headers = (
        "knees", "gain, these settings [%]", "yield [%]", "gain, settings tuned anew [%]",
        "yield [%]",
    )  # fmt: skip
    return table(title, headers, rows)
