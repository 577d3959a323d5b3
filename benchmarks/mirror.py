"""Measure how well the twin knows the state of a plant whose messages get lost, beside the targets.

``python -m benchmarks.mirror`` takes about a minute on two cores.

A virtual plant runs the assembly line for eight hours; of its messages 1 % are lost, 1 % come twice
and 2 % in disorder. What the mirror makes of the rest is compared with what really happened: the
counts of every machine, the items in every buffer, and the state of every machine at every moment.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.table import Row, as_markdown, as_text, at_least, at_most, write_into
from gigatwin.app.plant_elements import elements_of
from gigatwin.compiler.build import compile_factory
from gigatwin.factory import load
from gigatwin.plant import Misbehaviour, PlantFeed, TrueState, VirtualPlant
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.intake import Intake
from gigatwin.telemetry.observations import Taken
from gigatwin.telemetry.proposal import propose
from gigatwin.twin.mirror import Mirror

_HOUR = 3600.0
_FAULTS = Misbehaviour(lost=0.01, duplicated=0.01, disordered=0.02)
Changes = list[tuple[float, MachineState]]


@dataclass
class Watched:
    """A plant and its mirror after some hours."""

    mirror: Mirror
    truth: TrueState
    begin: float
    """Clock of the plant when it began. [s]"""
    changes: dict[str, Changes]
    """State of each machine as the mirror had it: since when, and which."""
    n_taken: int
    """Rows and readings taken in."""
    seconds: float
    """CPU time for them. [s]"""


def _follow(mirror: Mirror, taken: Taken, changes: dict[str, Changes]) -> None:
    """Take in what came, row by row, and note every state that the mirror goes through."""

    def note(machine: str, time: float) -> None:
        r = mirror.machines[mirror.layout.machines[machine]]
        seen = changes[machine]
        state = MachineState(r.state)
        if r.is_known and (not seen or seen[-1][1] is not state):
            seen.append((time, state))

    for row in taken.events:
        mirror.event(row)
        note(row.machine, row.time)
    for observation in taken.observations:
        mirror.observe(observation)
        if observation.element in changes and not changes[observation.element]:
            note(observation.element, observation.time)
    mirror.compare_levels()


def watch(name: str, hours: float, seed: int, faults: Misbehaviour | None) -> Watched:
    """Run a plant and follow it."""
    factory = load(name)
    compiled = compile_factory(factory)
    plant = VirtualPlant(factory, seed=seed, record_truth=True, values_per_machine=0)
    feed = PlantFeed(plant, misbehaviour=faults)
    intake = Intake(propose(plant.tags(), elements_of(compiled)))
    begin = plant.now
    mirror = Mirror(compiled, origin=begin)
    changes: dict[str, Changes] = {machine: [] for machine in compiled.machines}
    n_taken, seconds = 0, 0.0
    for batch in feed.scans(hours * _HOUR):
        taken = intake.take(batch)
        since = time.process_time()
        _follow(mirror, taken, changes)
        seconds += time.process_time() - since
        n_taken += len(taken.events) + len(taken.observations)
    _follow(mirror, intake.flush(), changes)
    return Watched(mirror, plant.true_state(), begin, changes, n_taken, seconds)


def rows_of(watched: Watched, what: str) -> list[Row]:
    """Return the rows of one plant."""
    mirror, truth = watched.mirror, watched.truth
    compiled = mirror.compiled
    counts = wrong = 0
    apart = total = 0.0
    for m, machine in enumerate(compiled.machines):
        true = truth.machines[machine]
        counts += 2
        wrong += mirror.processed[m].count != true.processed
        wrong += mirror.defective[m].count != true.defective
        seen = watched.changes[machine]
        apart += truth.time_apart(machine, seen, watched.begin, truth.time)
        total += truth.time - watched.begin
    levels = sum(
        abs(mirror.level(b) - len(truth.buffers.get(name, ())))
        for b, name in enumerate(compiled.buffers)
    )
    inside = sum(len(items) for items in truth.buffers.values())
    made = sum(truth.finished.values())
    details = f"{made:,} cells made; {inside:,} items in buffers, levels off by {levels} in all"
    return [
        at_most(f"{what}: counters of machines wrong", wrong, 0, f"of {counts}", details),
        at_most(f"{what}: machines in another state", 100 * apart / total, 0.5, "% of time"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirror", description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0, help="plant time (default 8)")
    parser.add_argument("--line", default="assembly-46", help="factory (default assembly-46)")
    parser.add_argument("--seed", type=int, default=3, help="of the plant (default 3)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table into a page")
    chosen = parser.parse_args(arguments)
    begin = time.perf_counter()
    notes = describe_machine()
    print(*notes, sep="\n", flush=True)
    faulty = watch(chosen.line, chosen.hours, chosen.seed, _FAULTS)
    rows = rows_of(faulty, f"{chosen.hours:g} h with faults")
    whole = watch(chosen.line, min(chosen.hours, 1.0), chosen.seed, None)
    rows += rows_of(whole, "without faults")
    speed = faulty.n_taken / faulty.seconds / 1000
    details = f"{faulty.n_taken:,} rows and readings on one core"
    rows.append(at_least("rows and readings mirrored", speed, 50, "k/s", details))
    notes.append(f"all of it took {time.perf_counter() - begin:.0f} s")
    print("", as_text(rows), "", notes[-1], sep="\n")
    if chosen.markdown:
        write_into(chosen.markdown, as_markdown(rows, notes))
    return 1 if any(row.is_met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
