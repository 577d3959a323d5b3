"""MQTT without its libraries, and the broker that comes with one."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest
import yaml

import gigatwin.connectors.mqtt as package
from gigatwin.connectors.mqtt import EmbeddedBroker, MqttSource
from gigatwin.errors import ConnectorError


def test_a_missing_client_is_one_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gmqtt", None)
    source = MqttSource.from_url("mqtt://127.0.0.1:1", {})
    with pytest.raises(ConnectorError, match=r"pip install 'gigatwin\[mqtt\]'"):
        asyncio.run(source.open())


def test_a_missing_broker_is_one_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)
    with pytest.raises(ConnectorError, match=r"pip install 'gigatwin\[broker\]'"):
        asyncio.run(EmbeddedBroker().start())


def test_the_embedded_broker_listens_on_this_machine_only():
    async def scenario():
        async with EmbeddedBroker() as broker:
            (server,) = broker._broker._servers.values()  # noqa: SLF001 - what it really listens on
            names = [listening.getsockname() for listening in server.instance.sockets]
            assert names == [("127.0.0.1", broker.port)]
            assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
        await broker.stop()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", broker.port)) != 0

    asyncio.run(scenario())


def test_a_taken_port_is_one_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConnectorError, match=f"port {port} .* must be free"):
            asyncio.run(EmbeddedBroker(port).start())


def test_the_manifest_says_how_every_rule_is_met():
    manifest = yaml.safe_load(
        (Path(package.__file__).parent / "manifest.yaml").read_text(encoding="utf-8")
    )
    assert manifest["name"] == "mqtt"
    assert len(manifest["quality"]) == 9
    assert all(str(rule).startswith(("done", "exempt, ")) for rule in manifest["quality"].values())
