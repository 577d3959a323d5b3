"""Ways on from every station, also from those that no item of the log was seen to leave."""

from gigatwin.errors import TelemetryError
from gigatwin.factory.routing import OUT
from gigatwin.learning.flow.topology import Flow


def ways_on(flow: Flow) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """Return the ways on from each station, and a note on each from which none leads out.

    A station is trapped where the log ends while items are there, or where they only go round; the
    items that were seen to stay are taken to leave there.

    Parameters
    ----------
    flow : Flow
        Stations and ways.

    Returns
    -------
    dict
        Station to target to number of moves.
    tuple of str
        What was assumed.

    Raises
    ------
    TelemetryError
        If no case is seen to leave the line at all.
    """
    ways = {name: dict(flow.arcs.get(name, {})) for name in flow.stations}
    leading_out = {OUT}
    while True:
        more = {name for name, on in ways.items() if leading_out & set(on)} - leading_out
        if not more:
            break
        leading_out |= more
    trapped = [name for name in ways if name not in leading_out]
    if len(trapped) == len(ways):
        message = (
            f"No case of the log is seen to leave the line, of {len(ways)} stations; needs cases "
            "that are finished (is the column taken for the case the right one?)"
        )
        raise TelemetryError(message)
    for name in trapped:
        ways[name][OUT] = max(1, flow.stations[name].n_visits - sum(ways[name].values()))
    return ways, tuple(
        f"No item was seen to go on from {name} to the end of the line; those that stayed are "
        "taken to leave there."
        for name in trapped
    )
