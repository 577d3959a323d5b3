"""What can go wrong with a change of the plant."""

from gigatwin.errors import GigatwinError


class ChangeError(GigatwinError, ValueError):
    """A proposal, a record, a key or a list of people that cannot be used."""


class RefusedError(ChangeError):
    """A step that somebody may not take, or not now; it stands in the record as refused."""
