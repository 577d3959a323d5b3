"""What a machine report calls things, and in which colours it shows them."""

from collections.abc import Iterable

from gigatwin.app.machine.quantities import seconds
from gigatwin.equipment.limits import SCRAP
from gigatwin.equipment.model.equipment_model import StepPart

KINDS = {
    "move": ("move", "#2f6690"),
    "index": ("index", "#5b9bb5"),
    "process": ("process", "#5b9a6f"),
    "timer": ("timer", "#d9822b"),
    "handshake": ("handshake", "#e3b23c"),
    "vision": ("vision", "#8a6fb0"),
}
"""Name and colour of each kind of step."""
CRITICAL = "#b3372e"
"""Colour of what sets the cycle time, and of what is broken."""
EVIDENCE = {
    "synthetic": "synthetic reference numbers",
    "vendor": "numbers of the machine\u2019s maker",
    "measured": "measured numbers",
}
"""Where the numbers of a machine come from, in words."""


def plain(name: str) -> str:
    """Return a name as words.

    Examples
    --------
    >>> plain("hand_over")
    'hand over'
    """
    return name.replace("_", " ")


def step_label(step: StepPart) -> str:
    """Return what a step is called; a timer without a name of its own is a wait."""
    return plain(step.label)


def step_text(step: StepPart, once: float, total: float) -> str:
    """Return a step with its time, repetitions and probability.

    Parameters
    ----------
    step : StepPart
        The step.
    once, total : float
        Time of doing it once, and of all of it in a mean cycle. [s]
    """
    text = f"{step_label(step)} {seconds(total)}"
    parts = []
    if step.times > 1:
        parts.append(f"{step.times} \u00d7 {seconds(once)}")
    if step.probability < 1:
        parts.append(f"in {100 * step.probability:g} % of the cycles")
    return f"{text} ({', '.join(parts)})" if parts else text


def waits_text(waits: Iterable[tuple[str, float, str]]) -> str:
    """Return what an activity waits for, in words.

    Parameters
    ----------
    waits : iterable of (activity, cycles, why)
        What is waited for, how many cycles earlier, and ``after`` or what circulates.

    Examples
    --------
    >>> waits_text([("wind", 1.0, "after"), ("tape", 1.0, "after"), ("cut", 0.0, "after")])
    'wind, tape of the cycle before; cut'
    >>> waits_text([("fill", 12.0, "carrier")])
    'fill 12 cycles before (carrier)'
    """
    groups: dict[tuple[float, str], list[str]] = {}
    for activity, cycles, why in waits:
        groups.setdefault((cycles, why), []).append(plain(activity))
    texts = []
    for (cycles, why), activities in groups.items():
        when = {0.0: "", 1.0: " of the cycle before"}.get(cycles, f" {cycles:g} cycles before")
        what = "" if why in {"after", "itself"} else f" ({plain(why)})"
        texts.append(f"{', '.join(activities)}{when}{what}")
    return "; ".join(texts)


def limit_name(name: str) -> str:
    """Return what a limit is called.

    Examples
    --------
    >>> limit_name("scrap"), limit_name("turret peak torque")
    ('process window (scrap)', 'turret peak torque')
    """
    return f"process window ({name})" if name == SCRAP else plain(name)
