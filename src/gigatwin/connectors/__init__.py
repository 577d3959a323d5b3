"""Interfaces to equipment and to historians, one folder for each protocol or store.

Reads: what the other side sends; settings, with secrets from the environment.
Writes: batches of readings (telemetry ports); instructions, where writing is switched on.
"""
