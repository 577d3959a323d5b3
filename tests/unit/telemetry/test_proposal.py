"""A mapping proposed from names, as sources write them."""

import pytest

from gigatwin.telemetry import PACKTAGS, Elements, Quantity, Tag, TagType, check, propose

Q = Quantity
ELEMENTS = Elements(
    machines=("winding#1", "winding#2", "winding#11", "collector_weld_a", "packing"),
    buffers=("collector_weld_a", "packing", "packing.lid"),
    nominal_rates={"winding#1": 0.2, "winding#2": 0.2, "packing": 5.0},
)


def proposed(name, kind=TagType.INTEGER, **settings):
    """Return element and quantity proposed for one tag, None where it is left out."""
    mapping = propose([Tag(name, kind, **settings)], ELEMENTS)
    meaning = mapping.tags.get(name)
    return None if meaning is None else (meaning.element, meaning.quantity)


def test_tags_of_our_own_kind_are_all_found_and_certain():
    tags = [
        Tag(f"{device}/{label}", TagType.REAL)
        for device in ("winding_1", "winding_11", "packing")
        for quantity, label in PACKTAGS.items()
        if quantity is not Q.LEVEL
    ]
    tags += [Tag("packing_lid_buffer/Status.Level", TagType.INTEGER)]
    tags += [Tag("packing/Status.Value.force", TagType.REAL, "N")]
    tags += [Tag("packing/Command.Setting.pressure", TagType.REAL, "bar", is_writable=True)]
    mapping = propose(tags, ELEMENTS, source="opc.tcp://plant")
    assert mapping.ignored == ()
    assert len(mapping.tags) == len(tags)
    assert mapping.source == "opc.tcp://plant"
    assert not mapping.is_confirmed
    assert mapping.tags["winding_11/Status.StateCurrent"].key == ("winding#11", Q.STATE, "")
    assert mapping.tags["packing_lid_buffer/Status.Level"].key == ("packing.lid", Q.LEVEL, "")
    assert mapping.tags["packing/Status.Value.force"].key == ("packing", Q.VALUE, "force")
    assert check(mapping, ELEMENTS).errors == ()
    certain = [text for name, text in mapping.comments.items() if "winding_11" not in name]
    assert all(text.startswith("1.00 ") for text in certain)


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("winding_1/Status.StateCurrent", "winding#1"),
        ("Winding-01/Status.StateCurrent", "winding#1"),
        ("WINDING1/Status/StateCurrent", "winding#1"),
        ("Line1/Winding 02/Status/StateCurrent", "winding#2"),
        ("Plant.Line1.Winding_011.Status.StateCurrent", "winding#11"),
        ("ns=2;s=Winding_02.StateCurrent", "winding#2"),
        ("Winding_02_StateCurrent", "winding#2"),
        ("CollectorWeldA/stateCurrent", "collector_weld_a"),
        ("collector-weld-a/status_state_current", "collector_weld_a"),
        ("Packing1/CurrentState", "packing"),
        ("Windng_01/Status.StateCurrent", "winding#1"),
    ],
)
def test_names_of_machines_are_recognised_in_their_variants(name, element):
    assert proposed(name) == (element, Q.STATE)


@pytest.mark.parametrize(
    "name",
    [
        "winding_3/Status.StateCurrent",
        "gantry/Status.StateCurrent",
        "winding_1/Status.Tool",
        "x",
    ],
)
def test_what_is_not_known_is_left_out_and_said(name):
    mapping = propose([Tag(name, TagType.INTEGER)], ELEMENTS)
    assert mapping.tags == {}
    assert "unmatched" in mapping.comments[name]


@pytest.mark.parametrize(
    ("label", "quantity"),
    [
        ("Admin/ProdProcessedCount", Q.PROCESSED),
        ("Admin.ProdProcessedCount", Q.PROCESSED),
        ("PartCount", Q.PROCESSED),
        ("scrap_count", Q.DEFECTIVE),
        ("Status/EquipmentInterlock/Blocked", Q.BLOCKED),
        ("Starved", Q.STARVED),
        ("Status/UnitModeCurrent", Q.MODE),
        ("StopReason", Q.STOP_REASON),
        ("Recipe", Q.FORMAT),
        ("Command/CntrlCmd", Q.COMMAND),
    ],
)
def test_labels_are_recognised_in_their_variants(label, quantity):
    assert proposed(f"winding_1/{label}") == ("winding#1", quantity)


def test_what_is_written_is_told_from_what_is_read():
    assert proposed("winding_1/Status.MachSpeed") == ("winding#1", Q.SPEED_SET_POINT)
    assert proposed("winding_1/Command.MachSpeed") == ("winding#1", Q.SPEED_COMMAND)
    assert proposed("winding_1/SpeedSetpoint") == ("winding#1", Q.SPEED_SET_POINT)
    assert proposed("winding_1/SpeedSetpoint", is_writable=True) == ("winding#1", Q.SPEED_COMMAND)


@pytest.mark.parametrize(
    ("unit", "factor"), [("items/min", 1 / 12), ("", 1 / 12), ("1/s", 5.0), ("1/h", 1 / 720)]
)
def test_factor_of_a_speed_makes_the_nominal_speed_1(unit, factor):
    tag = Tag("winding_1/Status.CurMachSpeed", TagType.REAL, unit)
    mapping = propose([tag], ELEMENTS)
    assert mapping.tags[tag.name].factor == pytest.approx(factor, rel=1e-5)


def test_speed_of_a_machine_without_a_known_rate_is_less_certain():
    tag = Tag("winding_11/Status.CurMachSpeed", TagType.REAL)
    mapping = propose([tag], ELEMENTS)
    assert mapping.tags[tag.name].factor == 1.0
    assert mapping.comments[tag.name].startswith("0.60 ")
    assert "not known" in mapping.comments[tag.name]


def test_better_of_two_tags_for_one_quantity_is_proposed():
    tags = [
        Tag("winding_1/MachineState", TagType.INTEGER),
        Tag("winding_1/Status.StateCurrent", TagType.INTEGER),
        Tag("Winding-01/StateCurrent", TagType.INTEGER),
    ]
    mapping = propose(tags, ELEMENTS)
    assert list(mapping.tags) == ["winding_1/Status.StateCurrent"]
    assert mapping.ignored == ("winding_1/MachineState", "Winding-01/StateCurrent")
    assert "means the same as" in mapping.comments["winding_1/MachineState"]


def test_buffers_are_found_by_their_devices():
    assert proposed("packing_buffer/Status.Level") == ("packing", Q.LEVEL)
    assert proposed("Buffer_Packing/Level") == ("packing", Q.LEVEL)
    assert proposed("collector_weld_a_buffer/Status.Level") == ("collector_weld_a", Q.LEVEL)
