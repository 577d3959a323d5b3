from gigatwin.standards.isa95 import PARENT_LEVEL, EquipmentLevel


def test_every_level_leads_up_to_the_enterprise():
    for level in EquipmentLevel:
        steps = 0
        while level in PARENT_LEVEL:
            level = PARENT_LEVEL[level]  # noqa: PLW2901 -- climbs from each level
            steps += 1
            assert steps < len(EquipmentLevel)
        assert level is EquipmentLevel.ENTERPRISE


def test_a_work_cell_belongs_to_a_production_line():
    assert PARENT_LEVEL[EquipmentLevel.WORK_CELL] is EquipmentLevel.PRODUCTION_LINE
