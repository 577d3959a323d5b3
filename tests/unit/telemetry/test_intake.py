"""What comes is taken once, in order, and nothing that comes does harm."""

import json
import math

import pytest

from gigatwin.errors import TelemetryError
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry import (
    PACKTAGS,
    Batch,
    Intake,
    Quality,
    Quantity,
    Reading,
    TagMapping,
    TagMeaning,
)

M = MachineState
Q = Quantity
T0 = 1_800_000_000.0
CODES = {"execute": 6, "suspended": 5, "held": 11, "aborted": 9, "stopped": 2, "idle": 4}


def name(quantity, element="winding_1"):
    return f"{element}/{PACKTAGS.get(quantity, 'Status.Value.force')}"


def intake_of(*quantities, elements=("winding_1",), **settings):
    quantities = quantities or tuple(
        quantity for quantity in PACKTAGS if quantity is not Quantity.LEVEL
    )
    tags = {
        name(quantity, element): TagMeaning(
            element=element.replace("_", "#"),
            quantity=quantity,
            which="force" if quantity is Quantity.VALUE else None,
        )
        for element in elements
        for quantity in quantities
    }
    return Intake(TagMapping(source="test", tags=tags), **settings)


def say(quantity, value, time, quality=Quality.GOOD, element="winding_1"):
    return Reading(name(quantity, element), value, T0 + time, quality)


def track(number, kind, item, time, **place):
    text = f"{number}|{kind}|{item}|4680|{place.pop('detail', '')}"
    return say(Q.TRACKING, text, time, **place)


def batch(*readings, received=None, **settings):
    times = [r.source_time for r in readings if isinstance(r.source_time, float)]
    when = max((t for t in times if math.isfinite(t)), default=T0)
    return Batch(readings, when if received is None else T0 + received, **settings)


def shown(state, time, **changes):
    """Return readings of the state tags of a machine."""
    values = {Q.STATE: CODES[state], Q.BLOCKED: False, Q.STARVED: False, Q.STOP_REASON: ""}
    values |= {Q[key.upper()]: value for key, value in changes.items()}
    return [say(quantity, value, time) for quantity, value in values.items()]


def rows_of(taken):
    return [(r.time - T0, r.kind, r.state.name, r.item, r.detail) for r in taken.events]


def numbers_of(taken):
    return [row.number for row in taken.events]


# ---- values


def test_reading_becomes_an_observation_in_the_unit_of_the_model():
    meaning = TagMeaning(element="winding#1", quantity=Q.SPEED, factor=0.5)
    intake = Intake(TagMapping(source="test", tags={"w/CurMachSpeed": meaning}))
    taken = intake.take(batch(Reading("w/CurMachSpeed", 3.0, T0)))
    assert taken.observations == (("winding#1", Q.SPEED, "", 1.5, T0, Quality.GOOD),)
    assert taken.events == ()


def test_readings_of_unknown_tags_are_counted_and_named():
    intake = intake_of(Q.STATE)
    taken = intake.take(batch(Reading("other/x", 1, T0), Reading("other/x", 2, T0 + 1)))
    assert taken == ((), ())
    assert intake.counts.unmapped == 2
    assert intake.unmapped_tags == {"other/x": 2}


def test_bad_quality_is_counted_and_its_value_is_not_used():
    intake = intake_of(Q.SPEED)
    taken = intake.take(batch(say(Q.SPEED, 7.0, 0.0, Quality.BAD)))
    assert [(o.value, o.quality) for o in taken.observations] == [(None, Quality.BAD)]
    assert intake.counts.bad_quality == 1
    assert not intake.ages()[0].is_believable
    intake.take(batch(say(Q.SPEED, 7.0, 1.0)))
    assert intake.ages()[0].is_believable


def test_uncertain_value_is_used_and_stays_uncertain():
    taken = intake_of(Q.SPEED).take(batch(say(Q.SPEED, 7.0, 0.0, Quality.UNCERTAIN)))
    assert [(o.value, o.quality) for o in taken.observations] == [(7.0, Quality.UNCERTAIN)]


WRONG = [
    (Q.STATE, 99),
    (Q.STATE, "jammed"),
    (Q.STATE, True),
    (Q.MODE, -1),
    (Q.SPEED, None),
    (Q.SPEED, math.nan),
    (Q.SPEED, -math.inf),
    (Q.SPEED, "fast"),
    (Q.SPEED, 10**400),
    (Q.BLOCKED, 2),
    (Q.BLOCKED, "yes"),
    (Q.PROCESSED, -3),
    (Q.PROCESSED, 1.5),
    (Q.PROCESSED, True),
    (Q.PROCESSED, 2**60),
    (Q.STOP_REASON, 1.5),
    (Q.TRACKING, "1|START|x||"),
    (Q.TRACKING, "0|START|1||"),
    (Q.TRACKING, 12),
    (Q.TRACKING, None),
]


@pytest.mark.parametrize(("quantity", "value"), WRONG)
def test_value_that_a_tag_cannot_have_is_counted_and_not_used(quantity, value):
    intake = intake_of()
    taken = intake.take(batch(say(quantity, value, 0.0)))
    assert intake.counts.malformed == 1
    assert all(observation.value is None for observation in taken.observations)
    assert taken.events == ()


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, "noon", None, 10**400])
def test_time_that_is_none_is_counted(time):
    intake = intake_of(Q.SPEED)
    intake.take(batch(say(Q.SPEED, 1.0, 0.0)))
    taken = intake.take(batch(Reading(name(Q.SPEED), 5.0, time)))
    assert taken.observations == () or time == -math.inf
    assert intake.counts.malformed + intake.counts.late == 1
    assert intake.now == T0


def test_one_reading_from_the_far_future_does_not_stop_the_clock():
    intake = intake_of(Q.SPEED)
    intake.take(batch(say(Q.SPEED, 1.0, 0.0)))
    intake.take(batch(say(Q.SPEED, 2.0, 1e8), received=1.0))
    taken = intake.take(batch(say(Q.SPEED, 3.0, 2.0)))
    assert intake.counts.malformed == 1
    assert [o.value for o in taken.observations] == [3.0]
    assert intake.now == T0 + 2.0


def test_future_that_stays_is_believed_in_the_end():
    intake = intake_of(Q.SPEED)
    intake.take(batch(say(Q.SPEED, 1.0, 0.0)))
    for step in range(60):
        intake.take(batch(say(Q.SPEED, step, 1e8 + step), received=step))
    assert intake.now == T0 + 1e8 + 59


def test_states_by_number_as_a_table_has_them_are_taken():
    taken = intake_of(Q.STATE, Q.STARVED).take(
        batch(say(Q.STATE, 5.0, 0.0), say(Q.STARVED, 1.0, 0.0))
    )
    assert [o.value for o in taken.observations] == [5, True]
    assert rows_of(taken) == [(0.0, "STARVE", "STARVED", -1, "")]


def test_stop_reason_by_number_is_a_name_and_0_is_none():
    taken = intake_of(Q.STOP_REASON).take(
        batch(say(Q.STOP_REASON, 17, 0.0), say(Q.STOP_REASON, 0, 1.0))
    )
    assert [o.value for o in taken.observations] == ["17", ""]


# ---- duplicates, late readings


def test_same_value_at_the_same_time_is_dropped_and_counted():
    intake = intake_of(Q.SPEED)
    first = intake.take(batch(say(Q.SPEED, 5.0, 0.0), say(Q.SPEED, 5.0, 0.0)))
    second = intake.take(batch(say(Q.SPEED, 5.0, 0.0)))
    assert len(first.observations) == 1
    assert second == ((), ())
    assert intake.counts.duplicates == 2


def test_late_reading_does_not_replace_the_present_value():
    intake = intake_of(Q.SPEED)
    intake.take(batch(say(Q.SPEED, 5.0, 10.0)))
    assert intake.take(batch(say(Q.SPEED, 4.0, 9.5))) == ((), ())
    assert intake.counts.late == 1


def test_two_values_at_the_same_time_are_two_and_the_last_holds():
    taken = intake_of(Q.SPEED).take(batch(say(Q.SPEED, 5.0, 0.0), say(Q.SPEED, 6.0, 0.0)))
    assert [o.value for o in taken.observations] == [5.0, 6.0]


# ---- telegrams


def test_telegrams_become_rows():
    taken = intake_of().take(
        batch(
            *shown("execute", 0.0),
            track(1, "START", 7, 0.0),
            track(2, "LOAD", 3, 1.0, detail="winding.lid"),
            track(3, "LEAVE", 7, 2.0, detail="flattening"),
        )
    )
    assert rows_of(taken) == [
        (0.0, "START", "EXECUTING", 7, ""),
        (1.0, "LOAD", "EXECUTING", 3, "winding.lid"),
        (2.0, "LEAVE", "EXECUTING", 7, "flattening"),
    ]
    assert numbers_of(taken) == [1, 2, 3]
    assert {row.format for row in taken.events} == {"4680"}
    assert {row.machine for row in taken.events} == {"winding#1"}


def test_tracking_tag_is_empty_until_something_happens():
    intake = intake_of(Q.TRACKING)
    assert intake.take(batch(say(Q.TRACKING, "", 0.0), is_snapshot=True)).events == ()
    assert intake.counts.malformed == 0
    assert intake.ages()[0].is_believable
    assert numbers_of(intake.take(batch(track(1, "START", 7, 1.0)))) == [1]


def test_same_number_is_dropped_and_counted():
    intake = intake_of()
    telegrams = [track(1, "START", 7, 0.0), track(2, "LEAVE", 7, 2.0)]
    assert numbers_of(intake.take(batch(*telegrams))) == [1, 2]
    assert numbers_of(intake.take(batch(*telegrams, track(3, "START", 8, 2.0)))) == [3]
    assert intake.counts.duplicates == 2


def test_telegrams_are_put_back_into_order():
    intake = intake_of()
    intake.take(batch(track(1, "START", 7, 0.0)))
    assert intake.take(batch(track(3, "START", 8, 2.5))).events == ()
    assert numbers_of(intake.take(batch(track(2, "LEAVE", 7, 2.0)))) == [2, 3]
    counts = intake.counts
    assert (counts.late, counts.gaps, counts.lost_telegrams) == (1, 0, 0)


def test_gap_is_given_up_after_the_patience_and_rows_go_on():
    intake = intake_of(reorder_patience=2.0)
    intake.take(batch(track(1, "START", 7, 0.0)))
    assert intake.take(batch(track(4, "START", 9, 5.0))).events == ()
    assert intake.take(batch(say(Q.SPEED, 1.0, 6.9))).events == ()
    assert numbers_of(intake.take(batch(say(Q.SPEED, 1.0, 7.1)))) == [4]
    assert numbers_of(intake.take(batch(track(5, "LEAVE", 9, 8.0)))) == [5]
    counts = intake.counts
    assert (counts.gaps, counts.lost_telegrams) == (1, 2)


def test_telegram_that_comes_after_its_gap_was_given_up_is_late():
    intake = intake_of(reorder_patience=0.0)
    intake.take(batch(track(1, "START", 7, 0.0), track(3, "START", 8, 3.0)))
    assert intake.take(batch(track(2, "LEAVE", 7, 2.0))).events == ()
    assert (intake.counts.late, intake.counts.duplicates) == (1, 0)


def test_flush_gives_up_what_was_waited_for():
    intake = intake_of()
    intake.take(batch(track(1, "START", 7, 0.0), track(3, "START", 8, 3.0)))
    assert intake.flush(T0 + 4.0).events == ()
    assert numbers_of(intake.flush(T0 + 5.0)) == [3]


def test_who_begins_to_listen_in_the_middle_has_lost_nothing():
    intake = intake_of()
    intake.take(batch(track(500, "LEAVE", 7, 0.0)))
    assert numbers_of(intake.take(batch(track(501, "START", 8, 2.5)))) == [500, 501]
    assert intake.counts.lost_telegrams == 0


def test_last_telegram_of_a_snapshot_is_no_news():
    intake = intake_of()
    first = batch(track(500, "LEAVE", 7, 0.0), is_snapshot=True)
    assert intake.take(first).events == ()
    assert intake.take(first).events == ()
    assert numbers_of(intake.take(batch(track(501, "START", 8, 1.0)))) == [501]
    assert intake.counts.duplicates == 0


@pytest.mark.parametrize("is_snapshot", [True, False])
def test_old_telegram_that_comes_again_with_a_newer_time_is_no_restart(is_snapshot):
    intake = intake_of()
    intake.take(batch(*(track(n, "START", n, float(n)) for n in range(1, 40))))
    again = batch(track(38, "START", 38, 45.0), is_snapshot=is_snapshot)
    assert intake.take(again).events == ()
    assert intake.counts.counter_resets == 0
    assert numbers_of(intake.take(batch(track(40, "START", 40, 46.0)))) == [40]


def test_snapshot_after_an_interruption_shows_what_was_missed():
    intake = intake_of(reorder_patience=2.0)
    intake.take(batch(track(1, "START", 7, 0.0)))
    intake.take(batch(track(9, "LEAVE", 11, 50.0), is_snapshot=True))
    assert numbers_of(intake.take(batch(say(Q.SPEED, 1.0, 52.0)))) == [9]
    assert intake.counts.lost_telegrams == 7


def test_numbers_that_begin_again_are_a_restart_of_the_equipment():
    intake = intake_of()
    intake.take(batch(*(track(n, "START", n, float(n)) for n in range(1, 40))))
    taken = intake.take(batch(track(1, "START", 90, 60.0), track(2, "LEAVE", 90, 62.0)))
    assert numbers_of(taken) == [1, 2]
    assert intake.counts.counter_resets == 1
    assert intake.take(batch(track(39, "START", 39, 39.0))).events == ()
    assert numbers_of(intake.take(batch(track(3, "START", 91, 63.0)))) == [3]


def test_rows_of_other_machines_do_not_wait_for_a_gap():
    intake = intake_of(elements=("winding_1", "winding_2"))
    intake.take(batch(track(1, "START", 1, 0.0), track(1, "START", 2, 0.0, element="winding_2")))
    taken = intake.take(
        batch(track(3, "START", 3, 1.0), track(2, "LEAVE", 2, 1.0, element="winding_2"))
    )
    assert [row.machine for row in taken.events] == ["winding#2"]


# ---- states


def test_tags_that_change_together_are_settled_together():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0)))
    taken = intake.take(batch(*shown("suspended", 5.0, blocked=True)))
    assert rows_of(taken) == [(5.0, "BLOCK", "BLOCKED", -1, "")]


def test_stop_has_its_reason_and_resume_too():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0)))
    stop = intake.take(batch(*shown("held", 5.0, stop_reason="jam")))
    resume = intake.take(batch(*shown("execute", 9.0)))
    assert rows_of(stop) == [(5.0, "STOP", "MICRO_STOP", -1, "jam")]
    assert rows_of(resume) == [(9.0, "RESUME", "EXECUTING", -1, "jam")]


def test_reason_that_comes_in_a_message_of_its_own_is_waited_for():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0)))
    assert intake.take(batch(say(Q.STATE, 9, 5.0))).events == ()
    taken = intake.take(batch(say(Q.STOP_REASON, "spindle", 5.0)))
    assert rows_of(taken) == [(5.0, "STOP", "BREAKDOWN", -1, "spindle")]


def test_reason_that_never_comes_is_not_waited_for_long():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0)))
    intake.take(batch(say(Q.STATE, 9, 5.0)))
    taken = intake.take(batch(say(Q.SPEED, 0.0, 5.3)))
    assert rows_of(taken) == [(5.0, "STOP", "BREAKDOWN", -1, "")]


def test_changeover_is_a_setup_with_an_end():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0)))
    begin = intake.take(batch(say(Q.MODE, 4, 5.0)))
    end = intake.take(batch(say(Q.MODE, 1, 9.0)))
    assert rows_of(begin) == [(5.0, "SETUP", "SETUP", -1, "")]
    assert rows_of(end) == [(9.0, "RESUME", "EXECUTING", -1, "")]


def test_start_of_an_item_says_that_the_machine_executes():
    intake = intake_of()
    intake.take(batch(*shown("suspended", 0.0, starved=True)))
    taken = intake.take(batch(track(1, "START", 7, 5.0), *shown("execute", 5.0)))
    assert rows_of(taken) == [(5.0, "START", "EXECUTING", 7, "")]
    late = intake.take(batch(track(2, "LEAVE", 7, 6.0), *shown("suspended", 6.0, starved=True)))
    assert rows_of(late) == [(6.0, "LEAVE", "STARVED", 7, "")]
    # A controller that is slow to show it adds nothing.
    assert rows_of(intake.take(batch(track(3, "START", 8, 7.0)))) == [
        (7.0, "START", "EXECUTING", 8, "")
    ]
    assert intake.take(batch(*shown("execute", 7.1))).events == ()


def test_machine_without_state_tags_is_known_from_its_telegrams():
    intake = intake_of(Q.TRACKING)
    taken = intake.take(batch(track(1, "START", 7, 0.0), track(2, "LEAVE", 7, 2.0)))
    assert [row.state for row in taken.events] == [M.EXECUTING, M.STARVED]


def test_end_of_a_stop_that_got_lost_is_known_from_the_next_item():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0), track(1, "START", 7, 0.0)))
    intake.take(batch(*shown("held", 5.0, stop_reason="jam")))
    taken = intake.take(batch(track(2, "LEAVE", 7, 8.0), track(3, "START", 8, 8.0)))
    assert rows_of(taken) == [
        (8.0, "LEAVE", "MICRO_STOP", 7, ""),
        (8.0, "RESUME", "EXECUTING", -1, "jam"),
        (8.0, "START", "EXECUTING", 8, ""),
    ]
    # What its tags said before holds no longer, until they say something.
    assert rows_of(intake.take(batch(track(4, "LEAVE", 8, 9.0)))) == [
        (9.0, "LEAVE", "EXECUTING", 8, "")
    ]
    assert intake.take(batch(say(Q.STOP_REASON, "", 9.5))).events == ()


def test_item_that_takes_no_time_leaves_the_machine_as_it_was():
    intake = intake_of()
    intake.take(batch(*shown("suspended", 0.0, starved=True)))
    taken = intake.take(batch(track(1, "START", 7, 5.0), track(2, "LEAVE", 7, 5.0)))
    assert [row.state for row in taken.events] == [M.EXECUTING, M.STARVED]


def test_first_snapshot_sets_states_without_inventing_events():
    intake = intake_of()
    taken = intake.take(batch(*shown("held", 0.0, stop_reason="jam"), is_snapshot=True))
    assert taken.events == ()
    assert len(taken.observations) == 4
    assert rows_of(intake.take(batch(*shown("execute", 3.0)))) == [
        (3.0, "RESUME", "EXECUTING", -1, "jam")
    ]


def test_snapshot_that_repeats_the_present_values_says_nothing_new():
    intake = intake_of()
    readings = [*shown("execute", 0.0), track(1, "START", 7, 0.0)]
    intake.take(batch(*readings))
    again = intake.take(batch(*readings, is_snapshot=True))
    stamped = intake.take(
        batch(*shown("execute", 60.0), track(1, "START", 7, 60.0), is_snapshot=True)
    )
    assert again == ((), ())
    assert stamped.events == ()
    assert (intake.counts.duplicates, intake.counts.counter_resets) == (0, 0)


def test_rows_of_a_machine_come_in_the_order_of_time_though_a_telegram_was_late():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0), track(1, "START", 7, 0.0)))
    held = intake.take(batch(track(3, "START", 8, 2.0), *shown("held", 2.5, stop_reason="jam")))
    assert held.events == ()
    assert [o.value for o in held.observations if o.quantity is Q.STATE] == [11]
    taken = intake.take(batch(track(2, "LEAVE", 7, 1.5)))
    assert [(kind, time) for time, kind, *_ in rows_of(taken)] == [
        ("LEAVE", 1.5),
        ("START", 2.0),
        ("STOP", 2.5),
    ]


def test_stop_whose_message_was_late_is_not_forgotten_while_rows_are_held():
    intake = intake_of()
    intake.take(batch(*shown("execute", 0.0), track(1, "START", 7, 0.0)))
    intake.take(batch(*shown("execute", 3.0), track(3, "START", 8, 3.0)))
    taken = intake.take(batch(*shown("held", 1.0, stop_reason="jam"), track(2, "LEAVE", 7, 0.9)))
    assert [kind for _, kind, *_ in rows_of(taken)] == ["LEAVE", "STOP", "RESUME", "START"]
    assert intake.counts.late == 5


# ---- counters


def test_counter_goes_on_over_a_restart():
    intake = intake_of(Q.PROCESSED)
    counted = []
    for step, value in enumerate([7, 9, 0, 2, 3]):
        taken = intake.take(batch(say(Q.PROCESSED, value, float(step))))
        counted += [o.value for o in taken.observations]
    assert counted == [7, 9, 9, 11, 12]
    assert intake.counts.counter_resets == 1


def test_counter_that_says_0_for_a_moment_has_not_begun_again():
    intake = intake_of(Q.PROCESSED)
    counted = []
    for step, value in enumerate([1000, 0, 1001, 1002]):
        taken = intake.take(batch(say(Q.PROCESSED, value, float(step))))
        counted += [o.value for o in taken.observations]
    assert counted == [1000, 1000, 1001, 1002]


# ---- clocks


def history(begin, n, step=0.0, elements=("winding_1", "winding_2")):
    """Return batches of machines that count on, the clock moved by a step."""
    batches = []
    for k in range(begin, begin + n):
        readings = [
            reading
            for element in elements
            for reading in (
                track(k + 1, "START", k, k + step, element=element),
                say(Q.PROCESSED, k, k + step, element=element),
                say(Q.SPEED, float(k), k + step, element=element),
            )
        ]
        batches.append(batch(*readings, received=float(k)))
    return batches


def take_all(intake, batches):
    rows, observations = [], []
    for one in batches:
        taken = intake.take(one)
        rows += taken.events
        observations += taken.observations
    return rows, observations


@pytest.mark.parametrize("step", [-3600.0, -5.0])
def test_clock_that_is_set_back_stops_nothing(step):
    intake = intake_of(elements=("winding_1", "winding_2"))
    take_all(intake, history(0, 20))
    rows, observations = take_all(intake, history(20, 20, step))
    assert intake.counts.clock_jumps == 1
    assert [row.number for row in rows if row.machine == "winding#2"] == list(range(21, 41))
    times = [row.time for row in rows if row.machine == "winding#2"]
    assert times == pytest.approx([T0 + k for k in range(20, 40)], abs=1.01)
    speeds = [o.value for o in observations if o.quantity is Q.SPEED and o.element == "winding#1"]
    assert speeds == list(range(20, 40))
    assert intake.clock.offset == pytest.approx(step)
    assert intake.counts.late == 0


def test_value_that_came_by_the_new_clock_before_that_was_known_is_not_lost():
    intake = intake_of(elements=("winding_1", "winding_2"))
    take_all(intake, history(0, 20))
    late = say(Q.SPEED, 55.0, 20.0 - 600.0)
    assert intake.take(batch(late, received=20.0)).observations == ()
    taken = intake.take(batch(track(21, "START", 20, 20.1 - 600.0), received=20.1))
    assert [o.value for o in taken.observations] == [55.0]


def test_late_messages_are_no_set_clock():
    intake = intake_of(elements=("winding_1", "winding_2"))
    batches = history(0, 60)
    batches[20:50] = [*batches[35:50], *batches[20:35]]
    take_all(intake, batches)
    assert intake.counts.clock_jumps == 0
    assert intake.counts.late > 0


def test_source_of_values_only_is_believed_after_a_while():
    intake = intake_of(Q.SPEED)
    for k in range(100):
        intake.take(batch(say(Q.SPEED, float(k), float(k)), received=float(k)))
    seen = []
    for k in range(100, 130):
        taken = intake.take(batch(say(Q.SPEED, float(k), k - 3600.0), received=float(k)))
        seen += [o.value for o in taken.observations]
    assert intake.counts.clock_jumps == 1
    assert seen[-1] == 129.0
    assert intake.now == pytest.approx(T0 + 129.0, abs=1.5)


def test_clock_that_is_set_forward_is_counted():
    intake = intake_of(elements=("winding_1", "winding_2"))
    take_all(intake, [*history(0, 60), *history(60, 20, 7200.0)])
    assert intake.counts.clock_jumps == 1
    assert intake.now == T0 + 79.0 + 7200.0


def test_plant_that_runs_faster_than_the_wall_clock_has_no_jumps():
    intake = intake_of(Q.SPEED)
    for k in range(500):
        reading = say(Q.SPEED, float(k), 100.0 * k * (1 + k % 3))
        intake.take(batch(reading, received=0.1 * k))
    assert intake.counts.clock_jumps <= 1


# ---- going on


def test_lost_messages_that_the_protocol_knows_of_are_counted():
    intake = intake_of(Q.SPEED)
    intake.take(batch(say(Q.SPEED, 1.0, 0.0), n_lost=3))
    assert intake.counts.lost_messages == 3


def test_state_can_be_kept_as_json_and_gone_on_from():
    batches = [
        batch(*shown("execute", 0.0), track(1, "START", 7, 0.0), say(Q.PROCESSED, 10, 0.0)),
        batch(track(3, "START", 8, 2.0), say(Q.PROCESSED, 3, 2.0), say(Q.STATE, 9, 2.0)),
        batch(say(Q.STOP_REASON, "spindle", 2.0), say(Q.SPEED, math.nan, 2.1)),
        batch(track(2, "LEAVE", 7, 1.0), say(Q.PROCESSED, 4, 3.0)),
        batch(*shown("execute", 5.0), say(Q.SPEED, 1.0, 5.0)),
    ]
    whole = intake_of()
    expected = [whole.take(one) for one in batches]
    found, kept = [], None
    for one in batches:
        intake = intake_of()
        if kept is not None:
            intake.restore(json.loads(kept))
        found.append(intake.take(one))
        kept = json.dumps(intake.state(), allow_nan=False)
    assert found == expected
    assert intake.counts == whole.counts
    assert intake.ages() == whole.ages()


def test_state_of_something_else_is_refused():
    with pytest.raises(TelemetryError, match="version"):
        intake_of().restore({"version": 99})
    with pytest.raises(TelemetryError, match="cannot be read"):
        intake_of().restore({"version": 1})


def test_patience_below_zero_is_refused():
    with pytest.raises(TelemetryError, match="0 s or more"):
        intake_of(reorder_patience=-1.0)
