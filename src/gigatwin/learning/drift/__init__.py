"""What changes with time, at a stated rate of false alarms.

Reads: values in the order of time.
Writes: alarms and dated changes.
"""
