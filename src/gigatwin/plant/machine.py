"""A machine of the virtual plant: what it works on, what it is set to, what it has counted."""

import random

from gigatwin.plant.appearance import (
    BLOCKED,
    BY_OPERATOR,
    BY_PROCESS,
    HALTED_STATE,
    PROCESS_STATE,
    STANDING_MODES,
    WORKING,
    Appearance,
    Phase,
)
from gigatwin.plant.item import Item
from gigatwin.plant.laws import Draw
from gigatwin.plant.layout import StationLayout
from gigatwin.plant.names import MachineTags, machine_element
from gigatwin.plant.response import Response
from gigatwin.plant.stops import StopClock, StopClocks
from gigatwin.plant.truth import StationTruth
from gigatwin.standards.machine_states import MachineState
from gigatwin.standards.packml import Mode, PackMLState


class Machine:
    """One machine, or the outlet of a storage, or a stream of arrivals.

    Its work is in the phase, what persons told it in ``commanded``; a halted machine does not go
    on with its work, while repairs of its own stops do.
    """

    __slots__ = (
        "acting",
        "bad_passed",
        "changed",
        "clocks",
        "commanded",
        "cycle",
        "defect_factor",
        "defective",
        "element",
        "format",
        "good_rejected",
        "granted",
        "idle_state",
        "is_dirty",
        "is_halted",
        "is_outside",
        "items",
        "last_cycle",
        "magazines",
        "mode",
        "n_ignored",
        "n_telegrams",
        "name",
        "phase",
        "processed",
        "quality",
        "response",
        "segment",
        "segment_began",
        "set_speed",
        "settings",
        "shock",
        "shown",
        "shown_defective",
        "shown_format",
        "shown_processed",
        "shown_speed",
        "speed",
        "station",
        "stop",
        "stop_after",
        "stop_rate",
        "tags",
        "target",
        "time_factor",
        "truth",
        "version",
        "waits_at",
        "wanted_format",
        "wear_hours",
        "work",
    )

    def __init__(  # noqa: PLR0913, PLR0915 - all that makes a machine
        self,
        name: str,
        station: StationLayout,
        truth: StationTruth,
        *,
        response: Response,
        cycle: Draw,
        quality: random.Random,
        clocks: list[StopClock],
        is_outside: bool = False,
    ) -> None:
        """Build a machine that is about to take in its first item.

        Parameters
        ----------
        name : str
            Name as in the compiled factory.
        station : StationLayout
            Its station.
        truth : StationTruth
            What is true about it.
        response : Response
            How it answers to speed and settings.
        cycle : Draw
            Random factor on the time of a cycle.
        quality : random.Random
            Random numbers for defects and ways.
        clocks : list of StopClock
            Its stops.
        is_outside : bool
            Whether it is a stream of arrivals.
        """
        self.name = name
        self.element = machine_element(name)
        self.station = station
        self.truth = truth
        self.response = response
        self.cycle = cycle
        self.quality = quality
        self.clocks: StopClocks | None = StopClocks(clocks) if clocks else None
        self.is_outside = is_outside
        self.magazines = [0.0] * len(station.inputs)
        # What it does.
        self.phase = Phase.READY
        self.items: list[Item] = []
        self.target: str | None = None
        self.waits_at: str | None = None
        self.work = 0.0
        self.segment = 0.0
        self.segment_began = 0.0
        self.version = 0
        self.stop: StopClock | None = None
        self.stop_after = Phase.READY
        self.granted = False
        self.format = station.initial_format
        self.wanted_format = -1
        self.idle_state = MachineState.STARVED
        self.last_cycle = 0.0
        # What persons told it.
        self.is_halted = False
        self.commanded = PackMLState.EXECUTE
        self.mode = Mode.PRODUCTION
        self.acting = 0
        self.n_ignored = 0
        self.speed = station.speed
        self.settings = {key: setting.initial for key, setting in truth.settings.items()}
        self.changed: dict[str, float] = {}
        # What follows from truth, speed, settings and wear.
        self.time_factor = 1.0
        self.defect_factor = 1.0
        self.stop_rate = 1.0
        self.wear_hours = 0.0
        self.shock = 1.0
        # What it has counted and shown.
        self.processed = 0
        self.defective = 0
        self.good_rejected = 0
        self.bad_passed = 0
        self.n_telegrams = 0
        self.is_dirty = False
        self.tags = MachineTags(self.element)
        self.shown = BY_PROCESS[MachineState.STARVED]
        self.shown_processed = 0
        self.shown_defective = 0
        self.shown_format = max(self.format, 0)
        self.set_speed = self.rate_at(self.speed)
        self.shown_speed = self.set_speed

    @property
    def process_state(self) -> MachineState:
        """State by its work alone, whatever persons told it."""
        if self.phase is Phase.IDLE:
            return self.idle_state
        if self.phase is Phase.REPAIR and self.stop is not None:
            return self.stop.state
        return PROCESS_STATE[self.phase]

    @property
    def nominal_rate(self) -> float:
        """Items a minute at speed 1, in the first format; 0 where there is no speed."""
        seconds = self.station.seconds[0]
        size = self.station.sizes[0] if self.station.sizes else 1
        return 60.0 * size / seconds if seconds > 0 else 0.0

    def rate_at(self, speed: float) -> float:
        """Return the items per minute at a speed, as they are shown."""
        return round(speed * self.nominal_rate, 6)

    def appearance(self) -> Appearance:
        """Return what it shows of itself."""
        if self.is_halted:
            packml = self.commanded
            state = HALTED_STATE[packml]
            if state is MachineState.NO_ORDER and self.mode in STANDING_MODES:
                state = MachineState.PLANNED_STOP
            return Appearance(state, packml, self.mode, BY_OPERATOR, is_halted=True)
        # Nearly always it is one of these two.
        if self.mode is Mode.PRODUCTION:
            if self.phase is Phase.WORKING:
                return WORKING
            if self.phase is Phase.DONE:
                return BLOCKED
        state = self.process_state
        plain = BY_PROCESS[state]
        if self.phase is Phase.REPAIR and self.stop is not None:
            return Appearance(state, plain.packml, plain.mode, self.stop.layout.name)
        if self.mode is not Mode.PRODUCTION and plain.mode is Mode.PRODUCTION:
            return Appearance(state, plain.packml, self.mode, plain.reason)
        return plain

    def see_to_effects(self, hours: float, *, is_night: bool, format_name: str) -> None:
        """Bring the factors of speed, settings, wear, shift and age up to date.

        Parameters
        ----------
        hours : float
            Plant time. [h]
        is_night : bool
            Whether it is night at the plant.
        format_name : str
            Format in work.
        """
        truth = self.truth
        effects = self.response.effects(self.speed, self.settings, self.changed, format_name)
        wear = min(truth.cycle.wear_limit, truth.cycle.wear_per_hour * self.wear_hours)
        factor = effects.time * truth.cycle.mean_factor * (1.0 + wear) * self.shock
        self.time_factor = factor * (truth.cycle.night_factor if is_night else 1.0)
        self.defect_factor = effects.defects
        early = truth.early_stops * 2.0 ** (-hours / truth.early_hours)
        self.stop_rate = effects.stops * (1.0 + early)
