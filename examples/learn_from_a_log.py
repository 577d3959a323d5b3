"""Question: can a line be learned from nothing but its log of who worked on what and when.

The log comes from a small job shop with known laws: four machines, rework, random routes. It is
written to a CSV file, as a plant would hand it over, learned, and compared with the truth.
"""

import tempfile
from pathlib import Path

import gigatwin
from gigatwin.events.case_log import read_case_log
from gigatwin.testing.generated_log import JOB_SHOP, case_log_of

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "log.csv"
    case_log_of(JOB_SHOP, n_cases=1500, seed=3).activities.write_csv(file)
    log = read_case_log(file)

print(*log.guesses, sep="\n")
learned = gigatwin.learn(log, "job-shop")

truth = {(step.activity, step.machine): step.mean for step in JOB_SHOP.steps.values()}
for name, station in learned.stations.items():
    mean = truth[station.activities[0], station.machines[0]]
    learned_mean = station.times.mean.value
    print(f"{name:12} {learned_mean:5.1f} s learned, {mean:5.1f} s true")
    assert abs(learned_mean - mean) < 0.05 * mean

result = gigatwin.simulate(learned.factory, days=1, replications=4)
rate, low, high = result.total("throughput_rate")
arriving = 3600.0 / JOB_SHOP.interval
print(f"simulated: {rate:.1f} items/h leave ({low:.1f} to {high:.1f}), {arriving:.1f} arrive")
assert abs(rate - arriving) < 0.1 * arriving
