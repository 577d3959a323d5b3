"""Numbered messages, put in order."""

import math
from collections import Counter

from gigatwin.connectors.mqtt.ordering import Ordering


def make(expected=0, modulus=256):
    counts = Counter()
    return Ordering(modulus, 0.5, counts, expected), counts


def take(ordering, *numbers, now=0.0):
    return [
        (item.message, item.n_lost)
        for number in numbers
        for item in ordering.take(number, f"m{number}", now)
    ]


def test_numbers_go_around():
    ordering, counts = make(254)
    assert take(ordering, 254, 255, 0, 1) == [("m254", 0), ("m255", 0), ("m0", 0), ("m1", 0)]
    assert not counts


def test_a_late_message_is_waited_for_and_puts_the_others_in_order():
    ordering, counts = make()
    assert take(ordering, 1, 2) == []
    assert ordering.is_waiting
    assert take(ordering, 0) == [("m0", 0), ("m1", 0), ("m2", 0)]
    assert not ordering.is_waiting
    assert not counts


def test_a_missing_message_is_given_up_after_a_while_and_counted():
    ordering, counts = make()
    take(ordering, 3, 4, now=10.0)
    assert ordering.expire(10.4) == []
    assert ordering.expire(10.5) == [("m3", 3), ("m4", 0)]
    assert counts == {"gaps": 1}


def test_each_gap_has_its_own_patience():
    ordering, counts = make()
    take(ordering, 1, 3, now=0.0)
    assert ordering.expire(0.5) == [("m1", 1)]
    assert ordering.expire(0.9) == []
    assert ordering.expire(1.0) == [("m3", 1)]
    assert counts["gaps"] == 2


def test_what_comes_after_it_was_given_up_is_released_all_the_same():
    ordering, counts = make()
    take(ordering, 2)
    ordering.expire(math.inf)
    assert take(ordering, 1, 1, 0) == [("m1", 0), ("m0", 0)]
    assert counts == {"gaps": 1, "late": 2, "duplicates": 1}


def test_what_comes_twice_is_released_once():
    ordering, counts = make()
    assert take(ordering, 0, 0, 2, 2, 1, 2) == [("m0", 0), ("m1", 0), ("m2", 0)]
    assert counts == {"duplicates": 3}


def test_a_number_that_fits_no_order_is_told():
    ordering, _ = make(100)
    assert take(ordering, 3) == []
    assert ordering.is_out_of_step


def test_without_an_expectation_the_first_number_begins():
    ordering, counts = make(None, 1 << 32)
    assert take(ordering, 4_000_000_000, 4_000_000_001) == [
        ("m4000000000", 0),
        ("m4000000001", 0),
    ]
    assert not counts


def test_a_thousand_that_wait_are_enough_to_give_up():
    ordering, _ = make(0, 1 << 32)
    released = take(ordering, *range(5, 1100))
    assert released[0] == ("m5", 5)
    assert len(released) == 1095
