"""The office log that process-discovery tools publish figures for: simulated against held out."""

from pathlib import Path

import numpy as np
import pandas as pd
from log_distance_measures.circadian_event_distribution import (
    circadian_event_distribution_distance,
)
from log_distance_measures.config import EventLogIDs
from log_distance_measures.cycle_time_distribution import cycle_time_distribution_distance
from log_distance_measures.n_gram_distribution import n_gram_distribution_distance
from log_distance_measures.relative_event_distribution import (
    relative_event_distribution_distance,
)

from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.learning.check.simulated_log import simulated_log
from gigatwin.learning.learn import learn

_IDS = EventLogIDs(
    case="case",
    activity="activity",
    resource="machine",
    start_time="start_time",
    end_time="end_time",
)
DISTANCES = ("cycle time, 1 h bins", "relative events", "3-grams", "circadian")
"""The distances, in the order of `distances`."""


def distances(one: CaseLog, other: CaseLog) -> tuple[float, ...]:
    """Return the four published distances between two logs."""
    a, b = _frame(one), _frame(other)
    hour = pd.Timedelta(hours=1)
    return (
        float(cycle_time_distribution_distance(a, _IDS, b, _IDS, hour)),
        float(relative_event_distribution_distance(a, _IDS, b, _IDS)),
        float(n_gram_distribution_distance(a, _IDS, b, _IDS, n=3)),
        float(circadian_event_distribution_distance(a, _IDS, b, _IDS)),
    )


def ratios(folder: Path, n_logs: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances of simulated logs to the test log over that of the training log.

    Parameters
    ----------
    folder : Path
        Where ``LoanApp_simplified_train.csv.gz`` and ``.._test.csv.gz`` are.
    n_logs : int
        Number of simulated logs.

    Returns
    -------
    numpy.ndarray
        One row for each simulated log, one column for each distance.
    numpy.ndarray
        The distances of the training log: the noise floor.
    """
    train = read_case_log(folder / "LoanApp_simplified_train.csv.gz")
    test = read_case_log(folder / "LoanApp_simplified_test.csv.gz")
    floor = np.array(distances(test, train))
    learned = learn(train)
    found = [
        distances(test, simulated_log(learned, train.n_cases, seed))
        for seed in range(1, n_logs + 1)
    ]
    return np.array(found) / floor, floor


def _frame(log: CaseLog) -> pd.DataFrame:
    visits = log.activities
    origin = pd.Timestamp(str(log.origin)).tz_localize("UTC")
    return pd.DataFrame(
        {
            "case": visits["case"].to_list(),
            "activity": visits["activity"].to_list(),
            "machine": visits["machine"].to_list(),
            "start_time": origin + pd.to_timedelta(visits["start"].to_numpy(), unit="s"),
            "end_time": origin + pd.to_timedelta(visits["end"].to_numpy(), unit="s"),
        }
    )
