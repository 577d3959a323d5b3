"""The event loop: calendar, machines, buffers, crews, random streams, over flat arrays.

Reads: the arrays of a Model and of a State (`layout`).
Writes: the State, and event records in it.
"""
