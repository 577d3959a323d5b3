"""Small machines for tests of their report."""

PRESS = """
name: press <b>one</b>
description: Presses plates, one <script>alert(1)</script> at a time.
evidence: vendor
items_per_cycle: 2
formats:
  thin: {height: 80 mm}
  thick: {height: 120 mm}
settings:
  v: {default: 1 m/s, low: 0.5 m/s, high: 2 m/s, lever: dynamics, description: speed of the arm}
  tau: {default: 50 ms, low: 10 ms, high: 90 ms, lever: waits, description: wait}
  heads: {default: 1, low: 1, high: 3, steps: [1, 2, 3], lever: capital, description: heads}
axes:
  arm:
    speed: v
    acceleration: 9 m/s^2
    jerk: 120 m/s^3
    travel: {low: 0 m, high: 1 m}
    drive: {inertia: 8 kg, friction: 20 N, peak: 140 N, continuous: 80 N, speed: 3 m/s}
    vibration: {frequency: 12 Hz, damping: 0.02, tolerance: 1 mm}
dials:
  table: {law: modified_sine, inertia: 1.5 kg*m^2, torque: 60 N*m, speed: 6 rad/s}
activities:
  pick:
    after: {turn: 0}
    steps: [{move: arm, stroke: 0.4 m, times: 2}, {handshake: 30 ms}]
  press_it:
    after: {turn: 0}
    steps:
      - {process: 1.5 s * height / (80 mm) / heads, name: press}
      - {timer: tau, times: 2}
  turn:
    after: {pick: 1, press_it: 1}
    steps: [{index: table, stroke: 0.7854 rad}, {vision: 0.1 s, probability: 0.5}]
defects:
  scratch:
    least: 0.001
    terms: [{cause: it rubs, of: v, above: 0.8 m/s, scale: 1 m/s, weight: 0.02}]
  crack: {least: 0.0005, is_seen_here: false}
stops:
  jam:
    per_cycle: 1 / 1000
    duration: 40 s
    terms: [{cause: the arm jams, of: v / (1 m/s), above: 0.5, weight: 2}]
energy: {executing: 1 kW, standby: 0.2 kW, per_cycle: 500 J}
"""
"""Steps of every kind but a plain move; settings of three kinds; a dial, and a swinging axis."""

BROKEN = (
    PRESS
    + """
limits:
  clearance: {value: 0.5 mm, least: 0.8 mm, because: the parts touch}
  pressure: {value: 40 kN / (0.01 m^2), most: 5 MPa, because: the plate bends}
"""
)
"""The same with a limit that is not kept."""

COLLIDING = (
    PRESS
    + """
zones:
  bench: [pick, press_it]
  nest: [turn, press_it]
"""
)
"""The same with two activities in one zone."""

FOREIGN = """
name: foreign
evidence: measured
formats: {only: {height: 80 mm}}
settings:
  v: {default: 1 m/s, low: 0.5 m/s, high: 2 m/s, lever: dynamics, description: speed}
fmu: {file: machine.fmu, cycle_time: time, counter: cycles, inputs: {v: v}}
defects:
  scratch:
    least: 0.001
    terms: [{cause: it rubs, of: v, above: 1.5 m/s, scale: 1 m/s, weight: 0.02}]
"""
"""A machine given as an FMU."""
