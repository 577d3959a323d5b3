"""A small line with one of everything that a report shows, and names that HTML must not read."""

from gigatwin.factory.reading import read_text

STORAGE = "rack"
HOSTILE = 'weld<script>alert(1)</script>&"co"${plotly}'
LINE = f"""
name: '<b>small</b> & "co"'
formats:
  a: {{energy: 80 Wh}}
  b: {{energy: 80 Wh}}
orders:
  - {{format: a, quantity: 40}}
  - {{format: b, quantity: 1000000}}
stations:
  cut:
    kind: discrete
    line: front
    machines: 2
    time: 20 s
    scrap: 5 %
    defects: {{crack: 10 %}}
    stops:
      jam:
        kind: micro_stop
        every: 10 min
        duration: {{distribution: exponential, mean: 1 min}}
        crew: {{resource: operators}}
    energy: {{executing: 2 kW, standby: 1 kW, per_item: 1 kJ}}
  '{HOSTILE}':
    kind: discrete
    line: front
    buffer: {{capacity: 5}}
    time: {{distribution: exponential, mean: 12 s}}
    changeover: {{time: 2 min}}
    energy: {{executing: 5 kW, standby: 1 kW}}
  rack:
    kind: storage
    line: back
    capacity: 50
    dwell: 1 min
  check:
    kind: inspection
    line: back
    buffer:
      capacity: 10
      transfer: 15 s
      vehicle: {{resource: carts}}
    time: 8 s
    finds: {{defects: {{crack: 90 %}}, false_alarm: 1 %}}
    next: out
resources:
  operators: {{capacity: 1}}
  carts: {{capacity: 2}}
constant_loads:
  dry_room: {{electricity: 50 kW, heat: 70 kW}}
"""


def small_line():
    """Return the factory."""
    return read_text(LINE, "small.yaml")
