"""Numbers of a description with six digits."""

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.routing import Route
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.learning.rounded import rounded


def test_numbers_have_six_digits_at_every_depth():
    law = Distribution(distribution="gamma", mean=12.3456789, cv=0.123456789)
    way = Empirical(quantiles=(1.00000049, 2.00000051))
    station = DiscreteStation(time=law, buffer=Buffer(capacity=3, transfer=way))
    found = rounded(station)
    assert (found.time.mean, found.time.cv) == (12.3457, 0.123457)
    assert found.buffer.transfer.quantiles == (1.0, 2.0)
    assert found.buffer.capacity == 3


def test_shares_that_sum_to_one_and_estimates_stay():
    ways = (Route(to="a", share=0.12345678), Route(to="b", share=0.87654322))
    estimate = Estimate(value=1.0, low=0.5, n=3, method="m")
    station = DiscreteStation(time=1.0, next=ways, estimates={"time": estimate})
    found = rounded(station)
    assert found.next == ways
    assert found.estimates == {"time": estimate}
