"""The virtual plant without a network: a source and a sink in the same process."""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from math import inf

from gigatwin.plant.misbehaviour import Misbehaviour
from gigatwin.plant.plant import VirtualPlant
from gigatwin.plant.stepping import Pace, Stepper
from gigatwin.telemetry.ports import Diagnostics, Instruction, Receipt
from gigatwin.telemetry.readings import Batch
from gigatwin.telemetry.tags import Tag

_MOST_REMEMBERED = 10_000
_WHERE = "virtual plant in this process"


class PlantFeed:
    """A `Source` and a `Sink` over a virtual plant.

    The first message is a snapshot. After a gap in the sequence of messages, and after a restart
    of the plant's server, another snapshot follows by itself.
    """

    def __init__(  # noqa: PLR0913 - each with a usual value
        self,
        plant: VirtualPlant,
        *,
        scan: float = 0.5,
        speed: float = inf,
        misbehaviour: Misbehaviour | None = None,
        is_writable: bool = False,
        duration: float = inf,
    ) -> None:
        """Connect nothing yet.

        Parameters
        ----------
        plant : VirtualPlant
            The plant.
        scan : float
            Plant time between two messages, above 0. [s]
        speed : float
            Plant time over wall time, above 0; infinite: as fast as it goes. [-]
        misbehaviour : Misbehaviour, optional
            What goes wrong on the way.
        is_writable : bool
            Whether instructions are carried out.
        duration : float
            Plant time after which the batches end. [s]
        """
        self.plant = plant
        self.stepper = Stepper(plant, scan, misbehaviour)
        self._pace = Pace(speed)
        self._is_writable = is_writable
        self._end = plant.elapsed + duration
        self._is_open = False
        self._n_batches = 0
        self._n_readings = 0
        self._receipts: OrderedDict[str, Receipt] = OrderedDict()

    async def open(self) -> None:
        """Begin; there is nobody to wait for."""
        self._is_open = True

    async def close(self) -> None:
        """End the batches; can be called twice."""
        self._is_open = False

    async def browse(self) -> Sequence[Tag]:
        """Return the tags of the plant."""
        return self.plant.tags()

    async def refresh(self) -> None:
        """Let the present values of all tags come before the next scan."""
        self.stepper.ask_for_snapshot()

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield what arrives, scan by scan, until the feed is closed or its duration is over."""
        while self._is_open and self.plant.elapsed < self._end:
            await self._pace.wait(self.plant.elapsed)
            if not self._is_open:
                return
            for batch in self._counted(self.stepper.step(time.time())):
                yield batch

    def scans(self, duration: float) -> Iterator[Batch]:
        """Yield what arrives within some plant time, as fast as it goes and without asyncio.

        Batches are received at the plant's own clock, so that two runs are the same.

        Parameters
        ----------
        duration : float
            Plant time. [s]
        """
        end = self.plant.elapsed + duration
        # Half a scan, because sums of scans need not come to the duration exactly.
        while self.plant.elapsed < end - self.stepper.scan / 2:
            yield from self._counted(self.stepper.step())

    def _counted(self, batches: list[Batch]) -> list[Batch]:
        self._n_batches += len(batches)
        self._n_readings += sum(len(batch.readings) for batch in batches)
        return batches

    async def send(self, instruction: Instruction) -> Receipt:
        """Carry out an instruction and return what became of it.

        Parameters
        ----------
        instruction : Instruction
            Writes, in order; the first that is refused ends it.
        """
        known = self._receipts.get(instruction.identity)
        if known is not None:
            return known
        receipt = self._carry_out(instruction)
        self._receipts[instruction.identity] = receipt
        while len(self._receipts) > _MOST_REMEMBERED:
            self._receipts.popitem(last=False)
        return receipt

    def _carry_out(self, instruction: Instruction) -> Receipt:
        identity = instruction.identity
        if not self._is_writable:
            text = "writing is switched off; make the feed with is_writable=True"
            return Receipt(identity, is_done=False, text=text)
        if instruction.expires < time.time():
            return Receipt(identity, is_done=False, text="the instruction has expired")
        for number, write in enumerate(instruction.writes):
            reason = self.plant.write(write)
            if reason:
                done = f" ({number} of {len(instruction.writes)} writes were done before)"
                return Receipt(identity, is_done=False, text=reason + (done if number else ""))
        return Receipt(identity, is_done=True)

    def diagnostics(self) -> Diagnostics:
        """Return what was seen, and what misbehaved on purpose."""
        counts = {
            "batches": self._n_batches,
            "readings": self._n_readings,
            "gaps": self.stepper.n_gaps,
            **{f"caused_{name}": n for name, n in self.stepper.channel.counts.items()},
        }
        return Diagnostics(_WHERE, is_connected=self._is_open, counts=counts)
