"""Clocks and calendars: what the times of a log mean.

Reads: visits (events).
Writes: offsets, jitter, the hours of work, working time.
"""
