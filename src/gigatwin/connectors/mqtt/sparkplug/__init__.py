"""Sparkplug B: its messages in bytes, an edge node and a host application, without any network.

Reads: messages of an edge node or a host application.
Writes: readings, births, data, deaths, commands.
"""
