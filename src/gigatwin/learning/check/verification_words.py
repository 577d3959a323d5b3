"""What a verification found, in words."""

from collections.abc import Sequence

from gigatwin.learning.check.compared_figures import Figure, differences_of
from gigatwin.units import format_quantity

_SHOWN = 5
_HOUR = 3600.0


def verdict_of(figures: Sequence[Figure], n_finished: int, *, is_informative: bool) -> str:
    """Return the verdict of a verification in a few sentences.

    Parameters
    ----------
    figures : sequence of Figure
        All that was compared.
    n_finished : int
        Cases that left the line in the log.
    is_informative : bool
        Whether the log is long enough.
    """
    n, differences = len(figures), differences_of(figures)
    sentences = []
    if not is_informative:
        sentences.append(
            f"The log is too short to tell much: cases that left the line in it: {n_finished}; "
            f"{_power(figures)}."
        )
    sentences.append(
        f"The line agrees with the log in {n - len(differences)} of {n} figures"
        f"{'.' if differences else ', within chance (Holm, 5 % for all figures together).'}"
    )
    if differences:
        said = "; ".join(sentence_of(figure) for figure in differences[:_SHOWN])
        more = len(differences) - _SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        sentences.append(f"Larger than chance (Holm, 5 % for all figures together): {said}{rest}.")
        reason = _reason(figures, differences)
        if reason:
            sentences.append(reason)
    elif is_informative:
        sentences.append(f"It would have been noticed: {_power(figures)}.")
    return " ".join(sentences)


def sentence_of(figure: Figure) -> str:
    """Return what a figure shows, as part of a sentence."""
    place = f"{figure.quantity}{f' at {figure.station}' if figure.station else ''}"
    if figure.is_distance:
        return (
            f"{place} is {_shown(figure.measured, figure)}, by chance up to "
            f"{_shown(figure.high, figure)}"
        )
    way = "high" if figure.difference > 0 else "low"
    if figure.quantity.startswith(("lead time", "time")):
        way = "long" if figure.difference > 0 else "short"
    if figure.is_share:
        size = f"{100 * abs(figure.difference):.2g} points"
    elif figure.measured:
        size = f"{_percent(abs(figure.relative_difference))}"
    else:
        size = _shown(abs(figure.difference), figure)
    return (
        f"{place} is {size} too {way} (simulated {_shown(figure.simulated, figure)}, "
        f"log {_shown(figure.measured, figure)})"
    )


def _shown(value: float, figure: Figure) -> str:
    if figure.unit == "1/s":
        return f"{value * _HOUR:.4g}/h"
    if figure.unit == "s":
        return format_quantity(float(f"{value:.4g}"), "s")
    if figure.is_share:
        return f"{100 * value:.3g} %"
    return f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 1 else f"{100 * share:.2g} %"


def _power(figures: Sequence[Figure]) -> str:
    """Return what differences the log would have shown."""
    names = ("throughput", "items in process", "lead time mean")
    reach = {
        figure.quantity: figure.detectable
        for figure in figures
        if not figure.station and figure.quantity in names
    }
    said = [f"{_percent(value)} in {name}" for name, value in reach.items() if value < 1]
    if not said:
        return "not even twice the output, contents or lead time would show"
    return f"a difference shows from {', '.join(said)} on"


def _reason(figures: Sequence[Figure], differences: Sequence[Figure]) -> str:
    """Return which station most likely explains a wrong throughput or lead time."""
    line = {figure.quantity: figure for figure in differences if not figure.station}
    output = line.get("throughput")
    symptom = output or line.get("lead time mean") or line.get("items in process")
    if symptom is None:
        return ""
    # More output, or shorter stays, come from stations that are faster than in the log.
    is_faster = symptom.difference > 0 if output is not None else symptom.difference < 0
    idle = {f.station: f.measured for f in figures if f.quantity == "idle share"}
    suspects = [
        figure
        for figure in differences
        if figure.quantity == "time mean"
        and figure.measured > 0
        and (figure.difference < 0) == is_faster
    ]
    what = "throughput" if output is not None else "lead time and contents"
    if not suspects:
        return (
            f"No station's time explains the {what}: look at what the log does not show, such as "
            "buffers, stops, arrivals and waits between stations."
        )
    # The station with the least idle time limits the line.
    first = min(suspects, key=lambda figure: (idle.get(figure.station, 1.0), figure.p_value))
    way = "faster" if is_faster else "slower"
    return (
        f"Most likely because {first.station} is {_percent(abs(first.relative_difference))} "
        f"{way} than in the log."
    )
