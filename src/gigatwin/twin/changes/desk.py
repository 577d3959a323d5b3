"""The desk where a change of the plant is proposed, approved, applied, watched and decided."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gigatwin.factory.factory import Factory
from gigatwin.twin.changes.approval import HOURS, approval_content, reason_against_approving, signed
from gigatwin.twin.changes.canonical import plain
from gigatwin.twin.changes.carrying_out import CarryingOut
from gigatwin.twin.changes.checks import Check, Checked, check_plan, check_values, stations_of
from gigatwin.twin.changes.entry import Kind
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.history import ChangeHistory, Status
from gigatwin.twin.changes.keys import Signer
from gigatwin.twin.changes.people import Right
from gigatwin.twin.changes.prediction import Predictor
from gigatwin.twin.changes.proposal import Guard, Proposal, Values
from gigatwin.twin.changes.store import TO_APPROVE
from gigatwin.twin.changes.verification import verify
from gigatwin.twin.changes.writes import TagBook, plan_writes

_MOST_HOURS = 168.0


class ChangeDesk(CarryingOut):
    """Changes of one plant: what people do with them, and what the plant does.

    Parameters
    ----------
    store : Path
        Folder of the twin; the record is kept in ``changes`` below it, people in ``people.yaml``.
    factory : Factory, optional
        The plant's model; needed to propose and to watch.
    book : TagBook, optional
        Tags and their present values; without it what is proposed is to be done by hand.
    predict : Predictor, optional
        Simulates a change; needed to propose.
    clock : callable
        Wall time, seconds since 1970. [s]
    """

    def __init__(
        self,
        store: Path,
        factory: Factory | None = None,
        *,
        book: TagBook | None = None,
        predict: Predictor | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(store, factory, book=book, clock=clock)
        self.predict = predict

    def propose(
        self,
        values: Values,
        *,
        reason: str,
        by: Signer,
        product_format: str | None = None,
        guard: Guard | None = None,
    ) -> ChangeHistory:
        """Propose a change: check it, predict its effect, and write it all down.

        Parameters
        ----------
        values : mapping
            Field of the factory to its new value, as `with_changes` takes them.
        reason : str
            Why; must not be empty.
        by : Signer
            Who proposes.
        product_format : str, optional
            Format that the line changes over to.
        guard : Guard, optional
            How it will be watched.

        Returns
        -------
        ChangeHistory
            Its status is ``NOT_ALLOWED`` where a check speaks against it, ``PROPOSED`` otherwise.

        Raises
        ------
        RefusedError
            If the person may not propose this; it stands in the record.
        ChangeError
            If the desk has no factory or predictor, or no reason was given.
        """
        factory, predict = self.factory, self.predict
        given: Values = plain(values)
        if factory is None or predict is None:
            message = "propose: nothing to predict with; give the desk a factory and a predictor."
            raise ChangeError(message)
        if not reason.strip():
            message = "propose: no reason; say why, it stays in the record."
            raise ChangeError(message)
        if not given and product_format is None:
            message = "propose: nothing to change; give a field, such as winding.speed=1.05."
            raise ChangeError(message)
        checked = check_values(factory, given, product_format)
        stations = tuple(factory.stations) if product_format else stations_of(factory, given)
        guard = guard or Guard()
        guard = replace(guard, stations=guard.stations or stations or tuple(factory.stations)[-1:])
        draft = Proposal(
            change=self._new_identity(),
            values=given,
            reason=reason.strip(),
            proposer=by.name,
            stations=stations,
            product_format=product_format,
            guard=guard,
        )
        draft, checks = self._with_writes(factory, draft, checked)
        against = self.people.reason_against(
            by.name, Right.PROPOSE, self.clock(), stations, draft.speeds
        )
        against = against or self.reason_against_key(by)
        if against:
            self.refuse("propose", draft.change, by.name, against, subject=draft.what)
        prediction = None
        if checked.changed is not None and all(check.is_allowed for check in checks):
            prediction = predict(factory, checked.changed, product_format, guard)
        with self.record.writing() as writer:
            content = {"proposal": plain(draft.data)}
            data = signed(Kind.PROPOSED, content, by)
            writer.append(Kind.PROPOSED, change=draft.change, actor=by.name, data=data)
            said = {"checks": [check.data for check in checks]}
            writer.append(Kind.CHECKED, change=draft.change, data=said)
            if prediction is not None:
                writer.append(Kind.PREDICTED, change=draft.change, data=prediction.data)
        return self.find(draft.change)

    def approve(self, name: str, by: Signer, hours: float = HOURS) -> ChangeHistory:
        """Approve a change, for exactly its values and prediction, for some hours.

        Raises
        ------
        RefusedError
            If the person may not approve it, or it does not wait for that; it stands in the record.
        """
        if not 0 < hours <= _MOST_HOURS:
            message = f"approve: {hours:g} h; must be above 0 and at most {_MOST_HOURS:g} h."
            raise ChangeError(message)
        change = self.find(name).change
        with self.record.writing() as writer:
            history = self.find(change)
            against = reason_against_approving(history, self.people, by, self.clock())
            flaw = verify(self.record).first
            if flaw is not None:
                against = f"the record was changed ({flaw})"
            elif not against and history.status not in TO_APPROVE:
                against = f"it is {history.status}"
            elif not against and history.prediction is None:
                against = "its effect was never predicted"
            if against:
                self.refuse("approve", change, by.name, against, writer=writer)
            head = writer.head.hash
            content = approval_content(history, by.name, head, self.clock(), hours)
            data = signed(Kind.APPROVED, content, by)
            writer.append(Kind.APPROVED, change=change, actor=by.name, data=data)
        return self.find(change)

    def decline(self, name: str, by: Signer, reason: str) -> ChangeHistory:
        """Say no to a change that is not applied yet; who proposed it may take it back so.

        Raises
        ------
        RefusedError
            If the person may not, or it is too late; it stands in the record.
        """
        change = self.find(name).change
        with self.record.writing() as writer:
            history = self.find(change)
            is_own = by.name == history.proposal.proposer
            against = self.reason_against_person(by, Right.PROPOSE if is_own else Right.APPROVE)
            if not against and history.status not in TO_APPROVE:
                against = f"it is {history.status}"
            if against:
                self.refuse("decline", change, by.name, against, writer=writer)
            content = {"change": change, "by": by.name, "reason": reason}
            data = signed(Kind.DECLINED, content, by)
            writer.append(Kind.DECLINED, change=change, actor=by.name, data=data)
        return self.find(change)

    def confirm(
        self, name: str, by: Signer, note: str = "", plant_time: float | None = None
    ) -> ChangeHistory:
        """Say that what no tag is there for was carried out, or undone, by hand.

        A change without any tags is in force with that, and watched from then on.

        Raises
        ------
        RefusedError
            If the person may not, or there is nothing to be done by hand now.
        """
        change = self.find(name).change
        with self.record.writing() as writer:
            history = self.find(change)
            proposal = history.proposal
            against = self._reason_against_confirming(history, by)
            if against:
                self.refuse("confirm", change, by.name, against, writer=writer)
            content = {
                "change": change,
                "by": by.name,
                "done": list(proposal.by_hand),
                "reason": note,
            }
            data = signed(Kind.CONFIRMED, content, by)
            writer.append(Kind.CONFIRMED, change=change, actor=by.name, data=data)
            if history.status == Status.APPROVED and not proposal.writes:
                done = {"plant_time": plant_time, "text": "carried out by hand"}
                writer.append(Kind.APPLIED, change=change, actor=by.name, data=done)
        return self.find(change)

    def roll_back(self, name: str, by: Signer, reason: str) -> ChangeHistory:
        """Decide to roll back a change that is watched, or was kept; `settle` does it.

        Raises
        ------
        RefusedError
            If the person may not, or it is not in force.
        """
        change = self.find(name).change
        with self.record.writing() as writer:
            history = self.find(change)
            against = self.reason_against_person(by, Right.APPROVE, history.proposal.stations)
            if not against and history.status not in {Status.WATCHED, Status.KEPT}:
                against = f"it is {history.status}"
            against = against or self.other_in_plant(change) or self.later_on_same_tags(change)
            if against:
                self.refuse("roll back", change, by.name, against, writer=writer)
            data = {"reason": reason, "by": by.name}
            writer.append(Kind.ROLLING_BACK, change=change, actor=by.name, data=data)
        return self.find(change)

    def _with_writes(
        self, factory: Factory, draft: Proposal, checked: Checked
    ) -> tuple[Proposal, list[Check]]:
        """Return a draft with what is to be written, and all checks."""
        unknown = [each for each in draft.guard.stations if each not in factory.stations]
        checks = [*checked.checks]
        if unknown:
            text = f"no station {', '.join(unknown)} to watch"
            checks.append(Check("watch", is_allowed=False, text=text))
        changed = checked.changed
        if changed is None or not checked.is_allowed:
            return draft, checks
        plan = plan_writes(factory, changed, draft.values, draft.product_format, self.book)
        speeds = {
            station: float(getattr(changed.stations[station], "speed", 1.0))
            for station in draft.stations
            if getattr(changed.stations[station], "speed", 1.0)
            != getattr(factory.stations[station], "speed", 1.0)
        }
        draft = replace(
            draft,
            speeds=speeds,
            writes=plan.writes,
            rollback=plan.rollback,
            by_hand=plan.by_hand,
        )
        return draft, [*checks, *check_plan(plan)]

    def _reason_against_confirming(self, history: ChangeHistory, by: Signer) -> str:
        against = self.reason_against_person(by, Right.PROPOSE, history.proposal.stations)
        if against:
            against = self.reason_against_person(by, Right.APPROVE, history.proposal.stations)
        if against or history.status == Status.UNDO_BY_HAND:
            return against
        if history.status != Status.APPROVED:
            return f"it is {history.status}"
        # Confirmed without tags, the process died before it was in force: once more does no harm.
        if history.is_confirmed and (history.proposal.writes or not history.proposal.by_hand):
            return "nothing is to be done by hand"
        against = self.gate.reason_against(history, self.record.entries(), self.clock())
        return against or self.other_in_plant(history.change)

    def _new_identity(self) -> str:
        # Another plant's record may count the same changes, and a sink knows identities only.
        return f"c{len(self.changes()) + 1}-{secrets.token_hex(3)}"
