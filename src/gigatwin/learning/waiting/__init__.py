"""What lies between stations: places, transfers, hold-ups.

Reads: visits with stations.
Writes: capacities with their flags, transfer times, which departures were held up.
"""
