"""The flow of a line: stations, the ways between them, where items come from.

Reads: visits (events).
Writes: ``Flow``, shares, supplies, batches, vehicles.
"""
