"""What the reference counts beside its records."""

from collections import Counter, defaultdict

from gigatwin.kernel.layout import OUT, SCRAP


class Tally:
    """Counts of items by station and format, and times in states and on places."""

    def __init__(self):
        self.created = 0
        self.consumed = 0
        self.processed = Counter()
        self.content = Counter()
        self.left = Counter()
        self.scrapped = Counter()
        self.reworked = Counter()
        self.finished = Counter()
        self.first_pass = Counter()
        self.lead_time = defaultdict(float)
        self.stops = Counter()
        self.durations = defaultdict(float)
        self.item_seconds = defaultdict(float)
        self.crew_seconds = defaultdict(float)

    def count_processed(self, machine):
        key = machine.station.number, machine.items[0].format
        self.processed[key] += len(machine.items)
        for item in machine.items:
            self.content[key] += item.content

    def count_leave(self, machine, item, target, now):
        key = machine.station.number, item.format
        if target == SCRAP:
            self.scrapped[key] += 1
            return
        self.left[key] += 1
        if target == OUT:
            self.finished[key] += 1
            self.first_pass[key] += item.reworks == 0
            self.lead_time[key] += now - item.born

    def pass_time(self, plant, seconds):
        """Count that nothing changes for so long."""
        for machine in plant.machines:
            self.durations[machine.number, machine.state] += seconds
        for buffer in plant.buffers:
            self.item_seconds[buffer.number] += seconds * len(buffer.items)
        for number, pool in enumerate(plant.resources):
            self.crew_seconds[number] += seconds * (pool.capacity - pool.free)
