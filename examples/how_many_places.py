"""Question: how many places between two machines bring nine tenths of what they can do.

Two machines take an exponential time with a mean of 1 s, so each can make 3600 items an hour. The
places between them let one go on while the other is slow. For this line the rate is known exactly:
with b places it makes (b + 2) / (b + 3) of what its machines can do.
"""

import gigatwin

MACHINE_RATE = 3600.0  # 1/h
WANTED = 0.9
PLACES = (0, 3, 5, 12)
TOLERANCE = 0.005

line = gigatwin.load("two-machine")
comparison = gigatwin.compare(
    line,
    {str(places): {"second.buffer.capacity": places} for places in PLACES},
    days=0.5,
    replications=8,
)

reached = {}
for places in PLACES:
    rate, _, _ = comparison.results[str(places)].total("throughput_rate")
    reached[places] = rate / MACHINE_RATE
    exact = (places + 2) / (places + 3)
    print(f"{places:2} places: {reached[places]:.3f} of the machine rate, exactly {exact:.3f}")
    assert abs(reached[places] - exact) < TOLERANCE

enough = min(places for places in PLACES if reached[places] >= WANTED)
print(f"Of these, {enough} places are the fewest with {WANTED:.0%}.")
assert enough == PLACES[-1]
