"""Numbered messages of one sender, put in order: what is missing, what came twice, what came late.

A broker keeps the order of one sender, but drops messages where a reader is slow; bridges and
clusters of brokers keep no order.
"""

from collections import Counter
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_NEAR = 64
"""How far behind a number may be and still belong to the same run of numbers."""
_MOST_HELD = 1000
"""How many messages wait for an earlier one at most."""


class Ordered(NamedTuple, Generic[T]):
    """A message whose turn it is."""

    message: T
    n_lost: int
    """Messages missing directly before it."""


class Ordering(Generic[T]):
    """Releases messages in the order of their numbers; waits for a missing one for a while.

    Numbers ascend by 1 and start again at 0 after ``modulus - 1``. What is in ``counts``:
    ``duplicates`` (dropped), ``late`` (came after they were given up; released all the same),
    ``gaps`` (runs of missing messages that were given up).
    """

    def __init__(
        self, modulus: int, patience: float, counts: Counter[str], expected: int | None = None
    ) -> None:
        """Expect a number next; None: whichever comes first.

        Parameters
        ----------
        modulus : int
            How many numbers there are, at least four times 64.
        patience : float
            How long to wait for a missing message. [s]
        counts : Counter
            Where to count.
        expected : int, optional
            The next number.
        """
        self._modulus = modulus
        self._patience = patience
        self._counts = counts
        self._is_new = expected is None
        self._next = expected or 0
        self._held: dict[int, T] = {}
        self._waits_since: float | None = None
        self._missing: set[int] = set()
        self.is_out_of_step = False
        """Whether a number came that fits no order; the sender has begun anew unseen."""

    @property
    def is_waiting(self) -> bool:
        """Whether a message waits for an earlier one."""
        return bool(self._held)

    def take(self, number: int, message: T, now: float) -> list[Ordered[T]]:
        """Take a message and return those whose turn it is.

        Parameters
        ----------
        number : int
            Its number.
        message : T
            The message.
        now : float
            This side's clock, that only ever ascends. [s]
        """
        if self._is_new:
            self._is_new, self._next = False, number
        ahead = (number - self._next) % self._modulus
        if ahead == 0 and not self._held:
            self._step()
            return [Ordered(message, 0)]
        if ahead >= self._modulus - _NEAR:
            return self._take_old(number, message)
        if ahead >= self._modulus // 2:
            self.is_out_of_step = True
            return []
        if number in self._held:
            self._counts["duplicates"] += 1
            return []
        self._held[number] = message
        released = self._release(now)
        if len(self._held) > _MOST_HELD:
            released += self._give_up(now)
        return released

    def expire(self, now: float) -> list[Ordered[T]]:
        """Return what waited too long for a missing message; that one is given up."""
        if self._waits_since is None or now - self._waits_since < self._patience:
            return []
        return self._give_up(now)

    def _step(self) -> None:
        self._next = (self._next + 1) % self._modulus
        self._missing.discard((self._next - _NEAR - 1) % self._modulus)

    def _take_old(self, number: int, message: T) -> list[Ordered[T]]:
        if number in self._missing:
            self._missing.discard(number)
            self._counts["late"] += 1
            return [Ordered(message, 0)]
        self._counts["duplicates"] += 1
        return []

    def _release(self, now: float) -> list[Ordered[T]]:
        released = []
        while self._next in self._held:
            released.append(Ordered(self._held.pop(self._next), 0))
            self._step()
        if not self._held:
            self._waits_since = None
        elif released or self._waits_since is None:
            self._waits_since = now
        return released

    def _give_up(self, now: float) -> list[Ordered[T]]:
        start = self._next
        n_lost = min((number - start) % self._modulus for number in self._held)
        self._next = (start + n_lost) % self._modulus
        given_up = {
            (start + step) % self._modulus for step in range(max(0, n_lost - _NEAR), n_lost)
        }
        self._missing = {
            number
            for number in self._missing | given_up
            if (self._next - number) % self._modulus <= _NEAR
        }
        self._counts["gaps"] += 1
        first, *others = self._release(now)
        return [Ordered(first.message, n_lost), *others]
