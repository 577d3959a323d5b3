"""The messages of Sparkplug B as the protobuf library knows them: the peer of our own codec."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from gigatwin.connectors.mqtt.sparkplug.codec import DataType, Metric, Payload

_FIELD = descriptor_pb2.FieldDescriptorProto
_MESSAGES = {
    "PropertyValue": (
        ("type", 1, _FIELD.TYPE_UINT32),
        ("is_null", 2, _FIELD.TYPE_BOOL),
        ("int_value", 3, _FIELD.TYPE_UINT32),
        ("long_value", 4, _FIELD.TYPE_UINT64),
        ("float_value", 5, _FIELD.TYPE_FLOAT),
        ("double_value", 6, _FIELD.TYPE_DOUBLE),
        ("boolean_value", 7, _FIELD.TYPE_BOOL),
        ("string_value", 8, _FIELD.TYPE_STRING),
    ),
    "PropertySet": (("keys*", 1, _FIELD.TYPE_STRING), ("values*", 2, "PropertyValue")),
    "MetaData": (
        ("is_multi_part", 1, _FIELD.TYPE_BOOL),
        ("content_type", 2, _FIELD.TYPE_STRING),
        ("size", 3, _FIELD.TYPE_UINT64),
    ),
    "DataSet": (("num_of_columns", 1, _FIELD.TYPE_UINT64), ("columns*", 2, _FIELD.TYPE_STRING)),
    "Template": (("version", 1, _FIELD.TYPE_STRING), ("metrics*", 2, "Metric")),
    "Metric": (
        ("name", 1, _FIELD.TYPE_STRING),
        ("alias", 2, _FIELD.TYPE_UINT64),
        ("timestamp", 3, _FIELD.TYPE_UINT64),
        ("datatype", 4, _FIELD.TYPE_UINT32),
        ("is_historical", 5, _FIELD.TYPE_BOOL),
        ("is_transient", 6, _FIELD.TYPE_BOOL),
        ("is_null", 7, _FIELD.TYPE_BOOL),
        ("metadata", 8, "MetaData"),
        ("properties", 9, "PropertySet"),
        ("int_value", 10, _FIELD.TYPE_UINT32),
        ("long_value", 11, _FIELD.TYPE_UINT64),
        ("float_value", 12, _FIELD.TYPE_FLOAT),
        ("double_value", 13, _FIELD.TYPE_DOUBLE),
        ("boolean_value", 14, _FIELD.TYPE_BOOL),
        ("string_value", 15, _FIELD.TYPE_STRING),
        ("bytes_value", 16, _FIELD.TYPE_BYTES),
        ("dataset_value", 17, "DataSet"),
        ("template_value", 18, "Template"),
    ),
    "Payload": (
        ("timestamp", 1, _FIELD.TYPE_UINT64),
        ("metrics*", 2, "Metric"),
        ("seq", 3, _FIELD.TYPE_UINT64),
        ("uuid", 4, _FIELD.TYPE_STRING),
        ("body", 5, _FIELD.TYPE_BYTES),
    ),
}
"""Fields by the specification, version 3.0; a star marks what is repeated."""


def _classes():
    file = descriptor_pb2.FileDescriptorProto(
        name="sparkplug_b_of_the_tests.proto", package="sparkplug", syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name == "Metric":
            message.oneof_decl.add(name="value")
        for label, number, kind in fields:
            field = message.field.add(name=label.rstrip("*"), number=number)
            field.label = _FIELD.LABEL_REPEATED if label.endswith("*") else _FIELD.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".sparkplug.{kind}"
            else:
                field.type = kind
            if name == "Metric" and label.endswith("_value"):
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"sparkplug.{name}"))
        for name in _MESSAGES
    }


MESSAGE = _classes()
"""Class of each message, by name."""
FIELD_OF_TYPE = {
    **dict.fromkeys((DataType.INT8, DataType.INT16, DataType.INT32), "int_value"),
    **dict.fromkeys((DataType.UINT8, DataType.UINT16, DataType.UINT32), "int_value"),
    **dict.fromkeys((DataType.INT64, DataType.UINT64, DataType.DATETIME), "long_value"),
    **dict.fromkeys((DataType.STRING, DataType.TEXT, DataType.UUID), "string_value"),
    **dict.fromkeys((DataType.BYTES, DataType.FILE), "bytes_value"),
    DataType.FLOAT: "float_value",
    DataType.DOUBLE: "double_value",
    DataType.BOOLEAN: "boolean_value",
}
_UNTYPED = {
    bool: "boolean_value",
    int: "long_value",
    float: "double_value",
    str: "string_value",
    bytes: "bytes_value",
}


def to_protobuf(payload):
    """Return a message of ours as one of the protobuf library."""
    message = MESSAGE["Payload"]()
    for name in ("timestamp", "seq"):
        if getattr(payload, name) is not None:
            setattr(message, name, getattr(payload, name))
    if payload.uuid:
        message.uuid = payload.uuid
    if payload.body:
        message.body = payload.body
    for metric in payload.metrics:
        _add(message.metrics.add(), metric)
    return message


def _add(row, metric):
    if metric.name:
        row.name = metric.name
    for name in ("alias", "timestamp"):
        if getattr(metric, name) is not None:
            setattr(row, name, getattr(metric, name))
    if metric.datatype:
        row.datatype = metric.datatype
    for name in ("is_historical", "is_transient", "is_null"):
        if getattr(metric, name):
            setattr(row, name, True)
    for key, value in metric.properties.items():
        row.properties.keys.append(key)
        _add_property(row.properties.values.add(), value)
    if metric.value is None or metric.is_null:
        return
    value = metric.value
    field = FIELD_OF_TYPE[metric.datatype] if metric.datatype else _UNTYPED[type(value)]
    if field in {"int_value", "long_value"}:
        value &= (1 << (32 if field == "int_value" else 64)) - 1
    setattr(row, field, value)


def _add_property(row, value):
    if value is None:
        row.type, row.is_null = DataType.STRING, True
    elif isinstance(value, bool):
        row.type, row.boolean_value = DataType.BOOLEAN, value
    elif isinstance(value, int) and -(1 << 31) <= value < 1 << 31:
        row.type, row.int_value = DataType.INT32, value & 0xFFFFFFFF
    elif isinstance(value, int):
        row.type, row.long_value = DataType.INT64, value & 0xFFFFFFFFFFFFFFFF
    elif isinstance(value, float):
        row.type, row.double_value = DataType.DOUBLE, value
    else:
        row.type, row.string_value = DataType.STRING, value


def from_protobuf(data):
    """Return what bytes say as the protobuf library reads them, as a message of ours.

    Integers stay as they are on the wire; properties are left out.
    """
    message = MESSAGE["Payload"].FromString(data)
    return Payload(
        message.timestamp if message.HasField("timestamp") else None,
        [_metric(row) for row in message.metrics],
        message.seq if message.HasField("seq") else None,
        message.uuid,
        message.body,
    )


def _metric(row):
    field = row.WhichOneof("value")
    is_plain = field is not None and field not in {"dataset_value", "template_value"}
    return Metric(
        row.name,
        row.alias if row.HasField("alias") else None,
        row.timestamp if row.HasField("timestamp") else None,
        row.datatype,
        getattr(row, field) if is_plain else None,
        row.is_historical,
        row.is_transient,
        row.is_null,
    )
