"""What contract suites say when a promise of a port is not kept."""

from collections.abc import Sequence

from gigatwin.telemetry import Diagnostics


def require(is_true: bool, what: str) -> None:  # noqa: FBT001 - as in an assert statement
    """Fail a test, with what the contract asks for.

    Assertions of modules outside the tests are not rewritten by pytest, so they would say nothing.
    """
    if not is_true:
        message = f"the contract asks for {what}"
        raise AssertionError(message)


def require_told(told: Diagnostics, secrets: Sequence[str]) -> None:
    """Fail a test where diagnostics say too little, or what they must not."""
    require(bool(told.where), f"where the other side is, got {told}")
    counts = told.counts.values()
    require(all(isinstance(n, int) and n >= 0 for n in counts), f"counts of 0 or more, got {told}")
    leaked = [secret for secret in secrets if secret in repr(told)]
    require(not leaked, f"no secrets in diagnostics, got {told}")
