"""ISA-95 (IEC 62264): the levels of equipment in a discrete plant."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class EquipmentLevel(StrEnum):
    """Level of a piece of equipment; an equipment module is part of a work cell (ISA-88)."""

    ENTERPRISE = "Enterprise"
    SITE = "Site"
    AREA = "Area"
    PRODUCTION_LINE = "ProductionLine"
    WORK_CELL = "WorkCell"
    EQUIPMENT_MODULE = "EquipmentModule"
    STORAGE_ZONE = "StorageZone"
    STORAGE_UNIT = "StorageUnit"


PARENT_LEVEL: Mapping[EquipmentLevel, EquipmentLevel] = MappingProxyType(
    {
        EquipmentLevel.SITE: EquipmentLevel.ENTERPRISE,
        EquipmentLevel.AREA: EquipmentLevel.SITE,
        EquipmentLevel.PRODUCTION_LINE: EquipmentLevel.AREA,
        EquipmentLevel.WORK_CELL: EquipmentLevel.PRODUCTION_LINE,
        EquipmentLevel.EQUIPMENT_MODULE: EquipmentLevel.WORK_CELL,
        EquipmentLevel.STORAGE_ZONE: EquipmentLevel.AREA,
        EquipmentLevel.STORAGE_UNIT: EquipmentLevel.STORAGE_ZONE,
    }
)
"""The level directly above each level but the topmost."""

__all__ = ["PARENT_LEVEL", "EquipmentLevel"]
