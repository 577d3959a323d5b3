"""A model kept in step with a plant: its present state, what changes, and verified changes.

Reads: observations and event records (telemetry), the factory.
Writes: the mirrored state, findings, and the record of changes.
"""
