"""Addresses of databases, and what of them may be shown."""

import os
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from gigatwin.errors import ConnectorError

SCHEMES = ("postgresql", "postgres")
"""How the address of a database begins."""
_HIDDEN = "***"
_FEWEST_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. Its text is without user and password."""

    url: str = field(repr=False)
    """As it was given; holds the password."""
    shown: str
    """Scheme, host, port and database."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address that a URL gives.

        Raises
        ------
        ConnectorError
            If it is none, or if it is not clear where its password ends; the text shows neither.
        """
        scheme, mark, rest = url.partition("://")
        if scheme not in SCHEMES or not mark:
            message = (
                "the address of the database is not understood; "
                "must be postgresql://user@host:port/database."
            )
            raise ConnectorError(message)
        place = rest[: min((rest.find(end) for end in "/?#" if end in rest), default=len(rest))]
        if rest.count("@") != place.count("@") or place.count("@") > 1:
            message = (
                f"{scheme}://...: an '@' whose place is not clear; in user and password it must be "
                "%40, and '/' %2F. Better: leave the password to the variable PGPASSWORD."
            )
            raise ConnectorError(message)
        path = rest[len(place) :].partition("?")[0].partition("#")[0]
        return cls(url, f"{scheme}://{place.rpartition('@')[2]}{path}")

    def without_secrets(self, text: str) -> str:
        """Return a text in which the password is hidden, however it came in."""
        secrets = {os.environ.get("PGPASSWORD", "")}
        try:
            given = urlsplit(self.url).password or ""
        except ValueError:
            given = ""
        _, _, asked = self.url.partition("?")
        for part in asked.split("&"):
            name, _, value = part.partition("=")
            if name in ("password", "sslpassword"):
                secrets |= {value, unquote(value)}
        for secret in sorted(secrets | {given, unquote(given)}, key=len, reverse=True):
            if len(secret) >= _FEWEST_LETTERS:
                text = text.replace(secret, _HIDDEN)
        return text
