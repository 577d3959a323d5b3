"""How a change is shown: what, why, checks, effect, what is written, what became of it."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from gigatwin.cli.numbers import number, unit_for_people
from gigatwin.cli.tables import console, table, text
from gigatwin.twin.changes import ChangeHistory, Effect, Entry, Prediction, Status
from gigatwin.twin.changes.judging import Judge
from gigatwin.twin.changes.proposal import Guard

_DIGITS = 3


def print_change(history: ChangeHistory) -> None:
    """Print a change with its checks, effect and writes."""
    out = console()
    proposal = history.proposal
    out.print(text(f"{history.change}: {proposal.what}, {history.status}"))
    out.print(text(f"proposed by {proposal.proposer}: {proposal.reason}"))
    if history.outcome and history.outcome != proposal.reason:
        out.print(text(f"outcome: {history.outcome}"))
    out.print()
    rows = [
        ("speaks for it" if check["is_allowed"] else "AGAINST IT", check["kind"], check["text"])
        for check in history.checks
    ]
    out.print(table("Checks", ("", "about", "found"), rows, n_names=3))
    if history.prediction is not None:
        _print_prediction(out, history.prediction, proposal.guard)
    old = {write.tag: write.value for write in proposal.rollback}
    writes = [
        (write.tag, str(old.get(write.tag, "")), str(write.value)) for write in proposal.writes
    ]
    if writes:
        out.print(table("Written to the plant", ("tag", "now", "then"), writes))
    for what in proposal.by_hand:
        out.print(text(f"By hand, as no tag is known for it: {what}"))


def print_steps(entries: Sequence[Entry]) -> None:
    """Print the entries of a change, the oldest first."""
    rows = [
        (str(entry.number), moment(entry.time), entry.kind, entry.actor, _said(entry))
        for entry in entries
    ]
    headers = ("entry", "time", "step", "who", "what")
    console().print(table("Steps", headers, rows, n_names=5))


def moment(time: str) -> str:
    """Return an ISO time as people read it."""
    return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M:%S UTC")


def next_step(history: ChangeHistory, store: str) -> str:
    """Return what is to be done next, as a command; empty: nothing."""
    name = history.change.partition("-")[0]
    at = f"--store {store}"
    by_hand = bool(history.proposal.by_hand) and not history.is_confirmed
    if history.status in {Status.PROPOSED, Status.EXPIRED}:
        return f"gigatwin approve {name} {at} --by NAME"
    if history.status == Status.UNDO_BY_HAND or (history.status == Status.APPROVED and by_hand):
        return f"gigatwin apply {name} {at} --by-hand --by NAME   (when it was carried out)"
    if history.status == Status.APPROVED:
        return f"gigatwin apply {name} {at} --sink URL"
    if history.status == Status.WATCHED:
        return f"gigatwin changes show {name} {at}   ('gigatwin sync' watches it)"
    return ""


def _print_prediction(out: Console, prediction: Prediction, guard: Guard) -> None:
    headers = ("quantity", "unit", "before", "after", "difference, 95 %", "verdict")
    rows = [_row(effect) for effect in prediction.effects]
    out.print(table(f"Predicted effect ({prediction.how})", headers, rows, n_names=2))
    for remark in prediction.remarks:
        out.print(text(f"note: {remark}"))
    judge = Judge(prediction, guard)
    watches: list[tuple[str, ...]] = []
    for watched in prediction.watched:
        mean, low, high = watched.rate
        loss = judge.stations[watched.station].detectable_loss
        watches.append((
            watched.station,
            number(watched.good_before),
            f"{number(mean)} ({number(low)} to {number(high)})",
            f"{100 * watched.scrap:.2f}",
            "none" if loss is None else f"{100 * loss:.3g}",
        ))  # fmt: skip
    of_watches = (
        "station",
        "good before [1/h]",
        "good after, 95 % [1/h]",
        "scrap after [%]",
        "loss found with 90 % [%]",
    )
    hours = guard.watch / 3600
    title = (
        f"Watched for {hours:.3g} h at {guard.looks} looks; a change as predicted is rolled back "
        f"with {100 * guard.error:.3g} %"
    )
    out.print(table(title, of_watches, watches))


def _row(effect: Effect) -> tuple[str, ...]:
    scale, unit = unit_for_people(effect.name, effect.unit, effect.before or 0.0)
    interval = ""
    if effect.low is not None and effect.high is not None:
        low, high = effect.low * scale, effect.high * scale
        interval = f"{low:+.{_DIGITS}g} to {high:+.{_DIGITS}g}"
    return (
        effect.name.replace("_", " "),
        unit,
        number(effect.before, scale),
        number(effect.after, scale),
        interval,
        effect.verdict,
    )


def _said(entry: Entry) -> str:
    for key in ("reason", "text", "found"):
        if isinstance(entry.data.get(key), str):
            return str(entry.data[key])
    return ""
