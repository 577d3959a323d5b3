"""People and their rights: a list in the store, held together with the record of changes.

Everybody who is added, changed or ended stands in the record, too. Somebody whose line in
``people.yaml`` is not as the record says has no rights until it is: a right that was written in by
hand is none. As soon as one person has the right ``people``, only such a person can add others,
and signs for it.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gigatwin.twin.changes.canonical import digest
from gigatwin.twin.changes.entry import Entry, Kind
from gigatwin.twin.changes.errors import ChangeError, RefusedError
from gigatwin.twin.changes.keys import Signer, checked_name, is_public_key, is_signed
from gigatwin.twin.changes.record import ChangeRecord

_PURPOSE = "person"


class Right(StrEnum):
    """What a person may do."""

    PROPOSE = "propose"
    """Propose changes, and confirm what was done by hand."""
    APPROVE = "approve"
    """Approve, decline and roll back changes."""
    PEOPLE = "people"
    """Add people and change their rights."""


class Person(BaseModel):
    """A person, as the list has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    public_key: str
    """Ed25519, Base64."""
    rights: tuple[Right, ...]
    stations: tuple[str, ...] = ()
    """Stations that the rights are for; empty: all."""
    largest_speed: float | None = Field(default=None, gt=0)
    """Largest speed factor that the person may propose or approve."""
    may_approve_own: bool = False
    """Whether own proposals may be approved, for sites with one person."""
    begins: str | None = None
    """ISO time from which the rights hold."""
    ends: str | None = None
    """ISO time at which they end."""

    @field_validator("public_key")
    @classmethod
    def _is_key(cls, text: str) -> str:
        if not is_public_key(text):
            message = "must be a public key: 32 bytes as Base64"
            raise ValueError(message)
        return text

    @field_validator("begins", "ends")
    @classmethod
    def _is_time(cls, text: str | None) -> str | None:
        if text is not None and datetime.fromisoformat(text).tzinfo is None:
            message = "must be an ISO time with its zone, such as 2027-01-31T12:00:00+00:00"
            raise ValueError(message)
        return text

    @property
    def data(self) -> dict[str, Any]:
        """The person as plain data, without what is left at its default."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def is_valid_at(self, time: float) -> bool:
        """Return whether the rights hold at a wall time [s]."""
        begins = -float("inf") if self.begins is None else _seconds(self.begins)
        ends = float("inf") if self.ends is None else _seconds(self.ends)
        return begins <= time < ends


class People:
    """The people of a store.

    Parameters
    ----------
    path : Path
        The list, ``people.yaml``; it need not exist.
    record : ChangeRecord
        The record that the list must agree with.
    """

    def __init__(self, path: Path, record: ChangeRecord) -> None:
        self.path = path
        self.record = record

    def all(self) -> dict[str, Person]:
        """Return everybody in the list.

        Raises
        ------
        ChangeError
            If the list cannot be read.
        """
        if not self.path.exists():
            return {}
        try:
            found = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            message = f"{self.path}: {error}; must be YAML, as 'gigatwin people add' writes it."
            raise ChangeError(message) from None
        people = found.get("people") if isinstance(found, dict) else None
        if not isinstance(people, dict) or found.keys() != {"people"}:
            message = f"{self.path}: must have 'people' with names, and nothing else."
            raise ChangeError(message)
        try:
            return {str(name): Person.model_validate(given) for name, given in people.items()}
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            message = f"{self.path} {place}: {first['msg']} (found {first['input']!r})."
            raise ChangeError(message) from None

    def reason_against(
        self,
        name: str,
        right: Right,
        time: float,
        stations: Iterable[str] = (),
        speeds: Mapping[str, float] | None = None,
    ) -> str:
        """Return why a person may not do something; empty: he may.

        Parameters
        ----------
        name : str
            The person.
        right : Right
            What is to be done.
        time : float
            Wall time. [s]
        stations : iterable of str
            Stations that it is about.
        speeds : mapping, optional
            Station to the speed factor that it gets.
        """
        person = self.all().get(name)
        if person is None:
            return f"{name} is not among the people of {self.path.name}"
        if not self.is_recorded(name):
            return f"{name} stands in {self.path.name} with other rights than in the record"
        return next(_reasons_against(name, person, right, time, stations, speeds or {}), "")

    def is_recorded(self, name: str) -> bool:
        """Return whether a person stands in the list as the record says."""
        person = self.all().get(name)
        known = recorded_people(self.record.entries()).get(name)
        return person is not None and known is not None and digest(known) == digest(person.data)

    def add(self, name: str, person: Person, by: Signer | None = None) -> None:
        """Add a person, or give a known one other rights, key or times.

        Parameters
        ----------
        name : str
            Name in the list.
        person : Person
            Key, rights and what limits them.
        by : Signer, optional
            A person with the right ``people``; needed as soon as there is one.

        Raises
        ------
        RefusedError
            If somebody with the right must sign. It stands in the record.
        """
        name = checked_name(name)
        content = {"name": name, "person": person.data}
        actor = by.name if by else "gigatwin"
        with self.record.writing() as writer:
            people = self.all()
            now = self.record.clock()
            managers = [known for known, each in people.items() if Right.PEOPLE in each.rights]
            reason = ""
            if by is not None:
                reason = self.reason_against(by.name, Right.PEOPLE, now)
                if not reason and people[by.name].public_key != by.public_key:
                    reason = f"the key at hand is not that of {by.name}"
            elif managers:
                reason = f"one of {', '.join(managers)} must sign for it (--by)"
            if reason:
                writer.append(Kind.REFUSED, actor=actor, data={"what": content, "reason": reason})
                message = f"people add {name}: {reason}."
                raise RefusedError(message)
            signature = None if by is None else by.sign(_PURPOSE, content)
            writer.append(Kind.PERSON, actor=actor, data={**content, "signature": signature})
            people[name] = person
            self._write(people)

    def _write(self, people: Mapping[str, Person]) -> None:
        content = {"people": {name: person.data for name, person in people.items()}}
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("# Written by 'gigatwin people'; rights changed by hand do not hold.\n")
                yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(self.path.stat().st_mode & 0o777 if self.path.exists() else 0o644)
            temporary.replace(self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _reasons_against(  # noqa: PLR0913, PLR0917 - what is asked for
    name: str,
    person: Person,
    right: Right,
    time: float,
    stations: Iterable[str],
    speeds: Mapping[str, float],
) -> Iterator[str]:
    if right not in person.rights:
        yield f"{name} has no right to {right.value}"
    if not person.is_valid_at(time):
        begins, ends = person.begins or "ever", person.ends or "ever"
        yield f"the rights of {name} hold from {begins} to {ends} only"
    missing = [each for each in stations if person.stations and each not in person.stations]
    if missing:
        allowed = ", ".join(person.stations)
        yield f"{name} may {right.value} for {allowed} only, not for {', '.join(missing)}"
    for station, speed in speeds.items():
        if person.largest_speed is not None and speed > person.largest_speed:
            yield (
                f"{name} may {right.value} speeds up to {person.largest_speed:g} only, "
                f"not {speed:g} for {station}"
            )


def recorded_people(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """Return what a record says of each person."""
    people: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind == Kind.PERSON:
            people[str(entry.data.get("name"))] = dict(entry.data.get("person") or {})
    return people


def unsigned_people(entries: Iterable[Entry]) -> list[tuple[Entry, str]]:
    """Return the entries about people that nobody with the right to it signed for, and why."""
    found: list[tuple[Entry, str]] = []
    people: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind != Kind.PERSON:
            continue
        data = dict(entry.data)
        signature = data.pop("signature", None)
        managers = {n for n, each in people.items() if Right.PEOPLE in each.get("rights", ())}
        if signature is not None or managers:
            key = str(people.get(entry.actor, {}).get("public_key", ""))
            if entry.actor not in managers:
                found.append((entry, f"{entry.actor} had no right to add people"))
            elif not is_signed(key, signature, _PURPOSE, data):
                found.append((entry, f"the signature is not that of {entry.actor}"))
        people[str(data.get("name"))] = dict(data.get("person") or {})
    return found


def now_text(time: float) -> str:
    """Return a wall time [s] as people's begins and ends are written."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
