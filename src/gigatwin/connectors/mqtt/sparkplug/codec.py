"""The Sparkplug B codec: messages to bytes and back, without the protobuf library."""

from gigatwin.connectors.mqtt.sparkplug.datatypes import DataType, Scalar, signed
from gigatwin.connectors.mqtt.sparkplug.decoding import decode
from gigatwin.connectors.mqtt.sparkplug.encoding import encode
from gigatwin.connectors.mqtt.sparkplug.payload import NO_PROPERTIES, Metric, Payload

__all__ = [
    "NO_PROPERTIES",
    "DataType",
    "Metric",
    "Payload",
    "Scalar",
    "decode",
    "encode",
    "signed",
]
