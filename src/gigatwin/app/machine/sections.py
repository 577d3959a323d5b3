"""The sections of a machine report."""

from collections.abc import Sequence
from html import escape

from gigatwin.app.figures import as_html
from gigatwin.app.machine import gantt, limit_bars, motion, recorded, tables, window
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import seconds
from gigatwin.app.machine.ranges import Lever, Range
from gigatwin.app.machine.wording import plain
from gigatwin.app.numbers import count
from gigatwin.app.sections import Section


def machine_sections(
    shown: Evaluated, along: Sequence[Range], levers: Sequence[Lever]
) -> list[Section]:
    """Return the sections for which there is something to show."""
    found = [
        cycle(shown),
        cycles_recorded(shown),
        next_steps(shown, levers),
        process_window(shown, along),
        limits(shown),
        moves(shown),
        interlocks(shown),
    ]
    return [section for section in found if section is not None]


def cycle(shown: Evaluated) -> Section | None:
    """Return the Gantt chart and the table of activities."""
    found = shown.schedule
    if found is None:
        return None
    longest = max(found.durations.values())
    together = ""
    if longest > found.cycle_time:
        name = max(found.durations, key=lambda each: found.durations[each])
        together = (
            f" {escape(plain(name).capitalize())} takes longer than a cycle: "
            f"{longest / found.cycle_time:.1f} of them are under way at any time."
        )
    body = (
        "<p>Each row is an activity: above, in full colour, one cycle; below, lighter, the next "
        f"one, which begins {seconds(found.cycle_time)} later. What is framed and written in red "
        "sets the cycle time, arrows lead to what waits for it. The thin grey bar is slack: so "
        f"much longer the activity could take at no cost.{together}</p>"
        + as_html(gantt.gantt(shown, found), "figure-gantt")
        + "<p>The column <i>cycle</i> says by how many seconds the cycle grows for each second "
        "that the activity takes longer; 0 while it has slack.</p>"
        + tables.activities(shown, found)
    )
    return Section("cycle", "The cycle, and what sets it", body, "Cycle")


def cycles_recorded(shown: Evaluated) -> Section | None:
    """Return the cycle times that an FMU gave."""
    fmu = shown.model.machine.fmu
    if fmu is None:
        return None
    times = shown.evaluation.recorded_times[0]
    body = (
        f"<p>This machine is a simulation by somebody else, <b>{escape(fmu.file)}</b>. It was run "
        f"for {count(fmu.skip)} cycles that are left out and {count(len(times))} that were "
        f"recorded: {seconds(float(times.min()))} to {seconds(float(times.max()))}, standard "
        f"deviation {seconds(float(times.std()))}. Nobody can look into an FMU, so that it has no "
        "activities to show.</p>" + as_html(recorded.histogram(shown), "figure-recorded")
    )
    return Section("recorded", "Recorded cycle times", body, "Recorded cycles")


def next_steps(shown: Evaluated, levers: Sequence[Lever]) -> Section | None:
    """Return what each setting does and brings."""
    if not levers:
        return None
    text = (
        "<p>Each setting alone, the others as they are; the cheapest kind of change first (waits, "
        "overlap, dynamics, recipe, capital), within a kind the largest gain. <i>Cycle time</i> is "
        "its slope at the value now. <i>Best alone</i> is the value with most good items that "
        "breaks no limit and no interlock that is kept now; gains do not add up. Select a heading "
        "to sort.</p>"
    )
    if any(lever.effect is None for lever in levers):
        text += (
            "<p>Effects were not calculated: each value would run the FMU again, "
            f"{seconds(shown.run_time)} for each.</p>"
        )
    return Section("next", "What next", text + tables.next_steps(shown, levers), "What next")


def process_window(shown: Evaluated, along: Sequence[Range]) -> Section | None:
    """Return what spoils items and stops the machine along the ranges."""
    if not shown.model.defects and not shown.model.stops:
        return None
    matter = [part for part in along if part.matters]
    body = "<p>No setting changes defects or stops.</p>"
    if matter:
        bounds = window.broken_beyond(shown, matter)
        bounded = (
            f"<p>Limits that are kept now and broken elsewhere (red): {escape(bounds)}.</p>"
            if bounds
            else ""
        )
        body = (
            "<p>Settings that defects or stops depend on, each along its whole range with the "
            "others as they are. Points mark the value now. Where the curve of defects bends is "
            "the knee: up to it speed is free.</p>"
            + as_html(window.window(shown, matter), "figure-window")
            + bounded
        )
    body += "<h3>What adds to defects and stops now</h3>" + window.causes(shown)
    return Section("window", "Process window: what speed costs", body, "Process window")


def limits(shown: Evaluated) -> Section | None:
    """Return how near each limit is."""
    if not shown.uses:
        return None
    poses = limit_bars.reached_poses(shown)
    listed = [use for use in shown.uses if use.name not in poses]
    drawn = limit_bars.drawn(listed)
    ordered = [*drawn, *(use for use in listed if not any(use is other for other in drawn))]
    if shown.broken:
        body = (
            f"<p><b>{len(shown.broken)} of {len(shown.uses)} limits are not kept.</b> The machine "
            "must not run with these settings.</p>"
        )
    else:
        body = "<p>All limits are kept; the nearest first. 100 % is the limit itself.</p>"
    if poses:
        body += f"<p>All {len(poses)} poses of the axes can be reached.</p>"
    if drawn:
        body += as_html(limit_bars.bars(drawn), "figure-limits")
    return Section("limits", "Limits", body + limit_bars.table(ordered), "Limits")


def moves(shown: Evaluated) -> Section | None:
    """Return how axes and dials move."""
    found = motion.moves(shown)
    if not found:
        return None
    body = (
        "<p>Moves from rest to rest, each axis with its own scales; moves of one axis that are "
        "alike are shown once, different ones in different colours.</p>"
        + as_html(motion.profiles(found), "figure-motion")
        + motion.table(shown, found)
    )
    if any(move.is_flying for move in found):
        body += (
            "<p>* This move begins or ends in motion in the machine, which makes it shorter; "
            "drawn is the one from rest to rest.</p>"
        )
    return Section("motion", "Motion", body, "Motion")


def interlocks(shown: Evaluated) -> Section | None:
    """Return zones and who is in them together."""
    if not shown.model.machine.zones or shown.schedule is None:
        return None
    body = (
        "<p>A zone is a place in which no two of its activities may be under way at a time. "
        "Checked is the cycle as it is drawn above, every activity as early as it can be, over "
        f"the whole period of {seconds(number(shown.evaluation.cycle_time))}.</p>"
        + tables.interlocks(shown)
    )
    return Section("interlocks", "Interlocks", body, "Interlocks")
