"""Tags and readings, and the metrics of Sparkplug B that stand for them."""

from collections.abc import Mapping
from types import MappingProxyType

from gigatwin.connectors.mqtt.sparkplug.codec import NO_PROPERTIES, DataType, Metric, Scalar
from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Quality, Reading
from gigatwin.telemetry.tags import Tag, TagType

DATATYPE: Mapping[TagType, DataType] = MappingProxyType(
    {
        TagType.BOOLEAN: DataType.BOOLEAN,
        TagType.INTEGER: DataType.INT64,
        TagType.REAL: DataType.DOUBLE,
        TagType.TEXT: DataType.STRING,
    }
)
"""How the values of each type of tag travel."""
TAG_TYPE: Mapping[int, TagType] = MappingProxyType(
    {
        **dict.fromkeys(range(DataType.INT8, DataType.UINT64 + 1), TagType.INTEGER),
        DataType.DATETIME: TagType.INTEGER,
        DataType.FLOAT: TagType.REAL,
        DataType.DOUBLE: TagType.REAL,
        DataType.BOOLEAN: TagType.BOOLEAN,
        DataType.STRING: TagType.TEXT,
        DataType.TEXT: TagType.TEXT,
        DataType.UUID: TagType.TEXT,
    }
)
"""What a metric of each data type is as a tag; metrics of other types are left out."""
QUALITY, UNIT, DESCRIPTION, READ_ONLY = "Quality", "engUnit", "documentation", "readOnly"
"""Names of the properties of a metric: the first by the specification, the others by custom."""
QUALITY_CODE: Mapping[Quality, int] = MappingProxyType(
    {Quality.GOOD: 192, Quality.UNCERTAIN: 500, Quality.BAD: 0}
)
"""The three codes that the specification has: good, stale, bad."""
QUALITY_PROPERTY = {
    quality: MappingProxyType({QUALITY: code}) for quality, code in QUALITY_CODE.items()
}
"""The property of a metric with each quality, ready-made."""
_CLASSIC_GOOD, _CLASSIC_UNCERTAIN = range(192, 256), range(64, 128)


def quality_of(code: Scalar) -> Quality:
    """Return the quality that the code of a metric means; none given is good.

    Besides the codes of the specification those of OPC Classic are understood.

    Examples
    --------
    >>> [quality_of(code).name for code in (None, 192, 500, 0, 64)]
    ['GOOD', 'GOOD', 'UNCERTAIN', 'BAD', 'UNCERTAIN']
    """
    if code is None or code in _CLASSIC_GOOD:
        return Quality.GOOD
    if code == QUALITY_CODE[Quality.UNCERTAIN] or code in _CLASSIC_UNCERTAIN:
        return Quality.UNCERTAIN
    return Quality.BAD


def birth_metric(tag: Tag, alias: int, reading: Reading | None, now: int) -> Metric:
    """Return the metric that tells everything about a tag.

    Parameters
    ----------
    tag : Tag
        The tag.
    alias : int
        The number that stands for its name from now on.
    reading : Reading, optional
        Its present value; None: there is none yet.
    now : int
        Wall time since 1970 in UTC, for a tag without a value. [ms]
    """
    properties: dict[str, Scalar] = {READ_ONLY: not tag.is_writable}
    if tag.unit:
        properties[UNIT] = tag.unit
    if tag.description:
        properties[DESCRIPTION] = tag.description
    quality = Quality.BAD if reading is None else reading.quality
    if quality is not Quality.GOOD:
        properties[QUALITY] = QUALITY_CODE[quality]
    value = None if reading is None else reading.value
    return Metric(
        name=tag.label,
        alias=alias,
        timestamp=now if reading is None else milliseconds(reading.source_time),
        datatype=DATATYPE[tag.type],
        value=value,
        is_null=value is None,
        properties=properties,
    )


def data_metric(alias: int, reading: Reading, was: Quality) -> Metric:
    """Return the metric that tells a new value; its quality is told where it is not just good.

    Parameters
    ----------
    alias : int
        The number that the birth gave to the tag.
    reading : Reading
        The new value.
    was : Quality
        Quality of the value before.
    """
    value, quality = reading.value, reading.quality
    is_plain = quality is Quality.GOOD and was is Quality.GOOD
    return Metric(
        "",
        alias,
        milliseconds(reading.source_time),
        0,
        value,
        False,  # noqa: FBT003 - neither historical
        False,  # noqa: FBT003 - nor transient
        value is None,
        NO_PROPERTIES if is_plain else QUALITY_PROPERTY[quality],
    )


def tag_of(element: str, metric: Metric) -> Tag | None:
    """Return the tag that the metric of a birth describes; None: it holds no plain value."""
    kind = TAG_TYPE.get(metric.datatype)
    if kind is None or not metric.name:
        return None
    properties = metric.properties
    return Tag(
        f"{element}/{metric.name}",
        kind,
        str(properties.get(UNIT) or ""),
        str(properties.get(DESCRIPTION) or ""),
        is_writable=properties.get(READ_ONLY) is False,
    )


def write_metric(write: TagWrite, now: int) -> Metric:
    """Return the metric of a write, by name; what type the tag has is for its owner to know."""
    label = write.tag.partition("/")[2]
    return Metric(label, timestamp=now, value=write.value, is_null=write.value is None)


def milliseconds(time: float) -> int:
    """Return a time [s] as Sparkplug writes it, to the nearest millisecond."""
    return max(0, round(time * 1000.0))
