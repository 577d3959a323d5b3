"""``gigatwin people``: who may propose and approve changes."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.change.opening import new_passphrase, open_store, refusals, signer_of
from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import AsJson, StoreFolder

if TYPE_CHECKING:
    from gigatwin.twin.changes import Person, Right

PersonName = Annotated[str, typer.Argument(metavar="NAME", help="The person.")]
Manager = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who signs for it; needed as soon as somebody has the right 'people'.",
    ),
]
Encrypted = Annotated[
    bool,
    typer.Option("--passphrase", help="Encrypt the private key with a passphrase."),
]


def add(  # noqa: PLR0913 - one parameter for each option
    name: PersonName,
    *,
    store: StoreFolder,
    rights: Annotated[
        list[str] | None,
        typer.Option(
            "--right",
            metavar="RIGHT",
            help="propose, approve, or people (to add others); repeatable.",
        ),
    ] = None,
    stations: Annotated[
        list[str] | None,
        typer.Option(
            "--station", metavar="NAME", help="Only for this station; repeatable; left out: all."
        ),
    ] = None,
    largest_speed: Annotated[
        float | None,
        typer.Option(metavar="FACTOR", help="Largest speed factor to propose or approve."),
    ] = None,
    may_approve_own: Annotated[
        bool,
        typer.Option("--allow-own", help="May approve own proposals, for sites with one person."),
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the rights end, such as 2027-12-31T18:00+01:00."),
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Public key of somebody on another machine ('gigatwin people key'); left out, the "
            "key on this machine is used, and made if there is none.",
        ),
    ] = None,
    is_encrypted: Encrypted = False,
    is_replacing: Annotated[
        bool, typer.Option("--replace", help="Give a person who is there other rights or key.")
    ] = False,
    by: Manager = None,
) -> None:
    """Add a person with rights, and make a key to sign with where there is none.

    It stands in the record of changes; rights written into people.yaml by hand do not hold.
    """
    from pydantic import ValidationError

    from gigatwin.twin.changes import Person
    from gigatwin.twin.changes.keys import checked_name, key_file

    kept = open_store(store)
    name = checked_name(name)
    if name in kept.people.all() and not is_replacing:
        message = f"{name}: is there already; must be a new name, or give --replace."
        raise OptionError(message)
    given = _rights(rights or [])
    with refusals():
        manager = None if by is None else signer_of(by)
        key = public_key or _key_here(name, is_encrypted=is_encrypted)
        try:
            person = Person(
                public_key=key,
                rights=given,
                stations=tuple(stations or ()),
                largest_speed=largest_speed,
                may_approve_own=may_approve_own,
                ends=until,
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            message = f"people add {name}: {first['loc'][0]} {first['input']!r}; {first['msg']}."
            raise OptionError(message) from None
        kept.people.add(name, person, manager)
    where = "" if public_key else f"; private key in {key_file(name)}"
    typer.echo(f"{name} may {_words(person)}{where}")
    typer.echo(f"public key {key}")


def end(name: PersonName, *, store: StoreFolder, by: Manager = None) -> None:
    """End the rights of a person now; what he did stays in the record."""
    from gigatwin.twin.changes.people import now_text

    kept = open_store(store)
    person = kept.people.all().get(name)
    if person is None:
        message = f"{name}: is not there; must be one of {', '.join(kept.people.all()) or 'none'}."
        raise OptionError(message)
    with refusals():
        manager = None if by is None else signer_of(by)
        ended = person.model_copy(update={"ends": now_text(kept.clock())})
        kept.people.add(name, ended, manager)
    typer.echo(f"the rights of {name} ended")


def make_key(name: PersonName, *, is_encrypted: Encrypted = False) -> None:
    """Make a private key on this machine, and print the public one for who adds you."""
    from gigatwin.twin.changes.keys import key_file

    typer.echo(_new_key(name, is_encrypted=is_encrypted))
    typer.echo(f"private key in {key_file(name)}", err=True)


def list_people(*, store: StoreFolder, as_json: AsJson = False) -> None:
    """List people and their rights, and whether they agree with the record."""
    from gigatwin.twin.changes import has_key

    kept = open_store(store)
    people = kept.people.all()
    agrees = {name: kept.people.is_recorded(name) for name in people}
    if as_json:
        data = {
            name: {**person.data, "is_recorded": agrees[name]} for name, person in people.items()
        }
        typer.echo(json.dumps(data, indent=2))
        return
    from gigatwin.cli.tables import console, table

    rows = [
        (
            name,
            _words(person),
            person.ends or "",
            "yes" if has_key(name) else "no",
            "yes" if agrees[name] else "NO: has no rights",
        )
        for name, person in people.items()
    ]
    headers = ("name", "may", "until", "key is here", "as recorded")
    console().print(table("People", headers, rows, n_names=5))


def _rights(texts: list[str]) -> "tuple[Right, ...]":
    from gigatwin.twin.changes import Right

    known = [right.value for right in Right]
    wrong = [text for text in texts if text not in known]
    if wrong or not texts:
        message = f"--right {' '.join(wrong)}".rstrip() + f": must be one of {', '.join(known)}."
        raise OptionError(message)
    return tuple(Right(text) for text in dict.fromkeys(texts))


def _key_here(name: str, *, is_encrypted: bool) -> str:
    """Return the public key of a person on this machine, making one where there is none."""
    from gigatwin.twin.changes import has_key

    if has_key(name):
        return signer_of(name).public_key
    return _new_key(name, is_encrypted=is_encrypted)


def _new_key(name: str, *, is_encrypted: bool) -> str:
    from gigatwin.twin.changes import make_key as make

    return make(name, new_passphrase(name) if is_encrypted else None).public_key


def _words(person: "Person") -> str:
    text = ", ".join(right.value for right in person.rights) or "nothing"
    if person.stations:
        text += f" for {', '.join(person.stations)}"
    if person.largest_speed is not None:
        text += f", speeds up to {person.largest_speed:g}"
    if person.may_approve_own:
        text += ", own proposals too"
    return text
