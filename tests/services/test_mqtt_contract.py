"""The contract suites, at both kinds of brokers and in both ways of writing."""

import pytest

from gigatwin.connectors.mqtt import MqttSink, MqttSource
from gigatwin.testing import SinkContract, SourceContract
from tests.services.mqtt_line import Broker, EmbeddedLine, Line

SPARKPLUG, NAMESPACE = "", "?scheme=uns"


class _AtMosquitto:
    query = SPARKPLUG

    @pytest.fixture(autouse=True)
    def _broker(self, mosquitto):
        self.mosquitto = mosquitto

    async def start_other_side(self):
        return await Line(Broker(self.mosquitto), self.query).open()


class _Embedded:
    query = SPARKPLUG

    async def start_other_side(self):
        return await EmbeddedLine.begin(self.query)


class _Source(SourceContract):
    def make_source(self, other):
        return MqttSource.from_url(other.url, {})

    def make_source_to_nowhere(self):
        return MqttSource.from_url("mqtt://127.0.0.1:1/a:b:c/d", {})


class _Sink(SinkContract):
    def make_sink(self, other, *, is_writing):
        return MqttSink.from_url(
            other.url, {}, is_writable=is_writing, acknowledgement_patience=0.8
        )


class TestSparkplugSourceAtMosquitto(_AtMosquitto, _Source):
    pass


class TestNamespaceSourceAtMosquitto(_AtMosquitto, _Source):
    query = NAMESPACE


class TestSparkplugSourceAtEmbeddedBroker(_Embedded, _Source):
    pass


class TestNamespaceSourceAtEmbeddedBroker(_Embedded, _Source):
    query = NAMESPACE


class TestSparkplugSinkAtMosquitto(_AtMosquitto, _Sink):
    pass


class TestNamespaceSinkAtMosquitto(_AtMosquitto, _Sink):
    query = NAMESPACE


class TestSparkplugSinkAtEmbeddedBroker(_Embedded, _Sink):
    pass
