"""OPC UA: read and write equipment as a client, and show it as a server.

Reads: the variables below each machine of a server (PackML, Machinery or its own structure).
Writes: batches of readings; instructions, where writing is switched on; a server for others.
"""

from gigatwin.connectors.opcua.face import OpcUaFace
from gigatwin.connectors.opcua.settings import FaceSettings, OpcUaSettings, Security, Trust
from gigatwin.connectors.opcua.sink import OpcUaSink
from gigatwin.connectors.opcua.source import OpcUaSource

__all__ = [
    "FaceSettings",
    "OpcUaFace",
    "OpcUaSettings",
    "OpcUaSink",
    "OpcUaSource",
    "Security",
    "Trust",
]
