"""Asking for something that is missing, often enough and no more."""

_LONGEST_PAUSE = 60.0


class Wish:
    """Something that is wanted; asked for at once, then with pauses that double until it comes.

    A wish that comes back soon after it was fulfilled waits for its pause all the same, so that a
    connection that loses much does not drown in what it asks for.
    """

    def __init__(self, pause: float) -> None:
        """Want nothing yet.

        Parameters
        ----------
        pause : float
            First pause. [s]
        """
        self.is_open = False
        """Whether it is wanted now."""
        self._first_pause = self._pause = pause
        self._asked: float | None = None

    def is_due(self, now: float) -> bool:
        """Return whether to ask now, which counts as having asked. ``now`` only ascends. [s]."""
        if not self.is_open or (self._asked is not None and now - self._asked < self._pause):
            return False
        if self._asked is not None:
            self._pause = min(2.0 * self._pause, _LONGEST_PAUSE)
        self._asked = now
        return True

    def ask(self, now: float) -> None:
        """Note that it was asked for without waiting until it is due."""
        self.is_open = True
        self._asked = now

    def fulfil(self) -> None:
        """Note that it came."""
        self.is_open = False
        self._pause = self._first_pause
