"""What ``gigatwin machine show`` prints."""

from collections.abc import Mapping

from rich.table import Table

from gigatwin.cli.machine.numbers import per_minute, percent, seconds, setting, signed
from gigatwin.cli.machine.sources import in_words
from gigatwin.cli.tables import console, table, text
from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation
from gigatwin.equipment.motion_energy import energy_per_item
from gigatwin.equipment.schedule import Schedule, schedule
from gigatwin.equipment.sensitivity import Sensitivity, cycle_time_by_activity, sensitivities

_WIDTH = 56
_MOST_NEXT = 12
_WORTH = 5e-5


def print_machine(model: EquipmentModel, product_format: str, given: Mapping[str, float]) -> None:
    """Print the cycle of a machine, its limits, and what could come next."""
    out = console()
    evaluation = model.evaluate(product_format, dict(given))
    machine = model.machine
    out.print(text(f"{machine.name}, {product_format}: {machine.description}".rstrip(": ")))
    out.print(in_words(machine.evidence))
    out.print()
    out.print(_rates(evaluation))
    if model.activities:
        found = schedule(evaluation)
        out.print(_activities(evaluation, found, given))
        out.print(text(finding(evaluation, found)))
        out.print()
    uses = limit_uses(evaluation)
    if uses:
        out.print(_limits(evaluation))
    effects = sensitivities(model, product_format, dict(given))
    if effects:
        out.print(_next(model, effects))


def _rates(evaluation: Evaluation) -> Table:
    items = evaluation.model.machine.items_per_cycle
    rows = [
        ("cycle time", seconds(float(evaluation.cycle_time))),
        ("items in a cycle", str(items)),
        ("gross rate", f"{per_minute(evaluation.gross_rate)} 1/min"),
        ("availability", f"{percent(evaluation.availability)} %"),
        ("scrap", f"{percent(evaluation.scrap)} %"),
        ("good items", f"{per_minute(evaluation.good_rate)} 1/min"),
        ("energy while it works", f"{energy_per_item(evaluation) / 3600:.3g} Wh/item"),
    ]
    return table("One machine that never waits", ("quantity", "value"), rows)


def finding(evaluation: Evaluation, found: Schedule) -> str:
    """Return a sentence on what sets the cycle."""
    names = [evaluation.model.activities[arc.tail].name for arc in found.circuit]
    chain = " -> ".join(names)
    spans = f", over {found.tokens:g} cycles" if found.tokens != 1 else ""
    rivals = " Another chain is as long: both have to become shorter." if found.has_rivals else ""
    return f"The cycle is set by {chain}{spans}.{rivals}"


def _activities(evaluation: Evaluation, found: Schedule, given: Mapping[str, float]) -> Table:
    model = evaluation.model
    effects = cycle_time_by_activity(model, evaluation.product_format, dict(given))
    begin = min(found.starts.values())
    end = max(found.starts[name] + found.durations[name] for name in found.durations)
    span = max(end - begin, found.cycle_time)
    rows = []
    for name, duration in found.durations.items():
        start = found.starts[name] - begin
        left = round(start / span * _WIDTH)
        width = max(1, round(duration / span * _WIDTH))
        sign = "#" if found.slack[name] == 0 else "="
        rows.append(
            (
                name,
                (" " * left + sign * width).ljust(_WIDTH)[:_WIDTH],
                seconds(duration),
                seconds(found.slack[name]) if found.slack[name] else "critical",
                f"{effects[name]:.3g}",
            )
        )
    headers = (
        "activity",
        f"0 to {seconds(span)}",
        "takes",
        "slack",
        "cycle per s longer [s]",
    )
    return table("Activities of one cycle", headers, rows, n_names=2)


def _limits(evaluation: Evaluation) -> Table:
    rows = []
    for use in sorted(limit_uses(evaluation), key=lambda use: float(use.margin[0])):
        verdict = "kept" if use.holds[0] else f"BROKEN: {use.because}"
        side = "least" if use.is_least else "most"
        rows.append(
            (
                use.name,
                f"{use.value[0]:.4g} {use.unit}".strip(),
                f"{side} {use.limit[0]:.4g} {use.unit}".strip(),
                verdict,
            )
        )
    return table("Limits, the nearest first", ("limit", "is", "may be", "verdict"), rows)


def _next(model: EquipmentModel, effects: list[Sensitivity]) -> Table:
    rows = []
    for effect in effects[:_MOST_NEXT]:
        known = model.settings[effect.setting]
        is_worth = effect.best_gain > _WORTH
        rows.append(
            (
                effect.setting,
                model.machine.settings[effect.setting].description,
                effect.lever,
                setting(effect.value, known),
                f"{setting(known.low, known)} to {setting(known.high, known)}",
                signed(effect.elasticity / 100, 2),
                setting(effect.best_value, known) if is_worth else "as it is",
                signed(effect.best_gain) if is_worth else "0",
                effect.stopped_by,
            )
        )
    headers = (
        "setting",
        "what it is",
        "lever",
        "now",
        "range",
        "good items per 1 % [%]",
        "best alone",
        "good items [%]",
        "stopped by",
    )
    return table("What next: one setting alone, the largest gain first", headers, rows, n_names=3)
