"""Crews: shared people, on shifts, who come in the order in which they were called."""

from collections import deque

from gigatwin.plant.machine import Machine


class Pool:
    """A number of equal people. Work begun goes on over the end of a shift."""

    __slots__ = ("calls", "free")

    def __init__(self, n_people: int) -> None:
        """Start with everybody free."""
        self.free = n_people
        self.calls: deque[tuple[Machine, int]] = deque()

    def request(self, machine: Machine, n_people: int) -> bool:
        """Take people if they are free and nobody waits; otherwise wait for them."""
        if not self.calls and self.free >= n_people:
            self.free -= n_people
            return True
        self.calls.append((machine, n_people))
        return False

    def release(self, n_people: int) -> list[Machine]:
        """Give people back, or add some to the shift; return the machines that get theirs now."""
        self.free += n_people
        served = []
        while self.calls and self.free >= self.calls[0][1]:
            machine, needed = self.calls.popleft()
            self.free -= needed
            served.append(machine)
        return served
