"""A unified namespace: one topic for each tag on the ISA-95 path, JSON anyone can read.

Reads: JSON on topics of a line.
Writes: readings, descriptions of tags, commands.
"""
