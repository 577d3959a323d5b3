"""MQTT: Sparkplug B, or JSON in a unified namespace, at a broker or at one inside the process.

Reads: births, data and deaths of a line; acknowledgements of commands.
Writes: batches of readings; commands, where writing is switched on; what a line shows.
"""

from gigatwin.connectors.mqtt.broker import EmbeddedBroker
from gigatwin.connectors.mqtt.face import MqttFace
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.sink import MqttSink
from gigatwin.connectors.mqtt.source import MqttSource

__all__ = ["EmbeddedBroker", "MqttFace", "MqttSettings", "MqttSink", "MqttSource"]
