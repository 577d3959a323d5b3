"""Addresses of brokers, and what must never be told of them."""

from pathlib import Path

import pytest

from gigatwin.connectors.mqtt import MqttFace, MqttSettings, MqttSink, MqttSource
from gigatwin.connectors.mqtt.diagnostics import ConnectionRecord
from gigatwin.errors import ConnectorError


def test_an_address_says_where_and_how():
    settings = MqttSettings.from_url(
        "mqtts://ada:pa%2Fss@broker/acme:west:cells/line_1"
        "?scheme=uns&root=simulated&host=twin_2&ca=ca.pem&cert=c.pem&key=k.pem",
        {},
    )
    assert (settings.host, settings.port, settings.is_tls) == ("broker", 8883, True)
    assert (settings.user, settings.password.get_secret_value()) == ("ada", "pa/ss")
    assert settings.path == ("acme", "west", "cells", "line_1")
    assert (settings.scheme, settings.root) == ("uns", "simulated")
    assert settings.host_application == "twin_2"
    assert settings.ca_file == Path("ca.pem")
    assert settings.certificate_file == Path("c.pem")
    assert settings.key_file == Path("k.pem")
    assert not settings.is_writable


def test_a_short_address_is_enough():
    settings = MqttSettings.from_url("mqtt://127.0.0.1", {})
    assert settings.where == "mqtt://127.0.0.1:1883/gigatwin:site:area/line"
    assert MqttSettings.from_url("mqtt://[::1]:5", {}).where.startswith("mqtt://[::1]:5/")


def test_user_and_password_come_from_the_environment_too():
    environment = {"GIGATWIN_MQTT_USER": "ada", "GIGATWIN_MQTT_PASSWORD": "secret"}
    settings = MqttSettings.from_url("mqtt://broker", environment)
    assert (settings.user, settings.password.get_secret_value()) == ("ada", "secret")
    settings = MqttSettings.from_url("mqtt://eve:other@broker", environment)
    assert (settings.user, settings.password.get_secret_value()) == ("eve", "other")


@pytest.mark.parametrize(
    "url",
    [
        "http://broker",
        "mqtt://",
        "broker:1883",
        "mqtt://broker:port",
        "mqtt://broker:99999",
        "mqtt://broker/a/b/c",
        "mqtt://broker/a+b/c",
        "mqtt://broker/a/b%20c",
        "mqtt://broker?scheme=other",
        "mqtt://broker?writable=yes",
        "mqtt://broker#part",
    ],
)
def test_a_wrong_address_is_one_error_with_the_form_that_is_right(url):
    with pytest.raises(ConnectorError, match=r"must be mqtt://host\[:port\]"):
        MqttSettings.from_url(url, {})


@pytest.mark.parametrize(
    "url",
    [
        "mqtt://ada:secret@broker/a/b/c",
        "mqtt://ada:secret@broker?scheme=other",
        "mqtt://ada:secret@broker:port",
        "mqtt://ada:se/secret@broker",
        "mqtt://ada:1/secret@broker",
        "mqtt://ada:1?secret@broker",
        "mqtt://ada:1#secret@broker",
    ],
)
def test_no_error_tells_the_password(url):
    with pytest.raises(ConnectorError) as caught:
        MqttSettings.from_url(url, {})
    assert "secret" not in str(caught.value)


def test_diagnostics_tell_neither_user_nor_password(caplog):
    settings = MqttSettings.from_url("mqtt://ada:secret@broker", {})
    record = ConnectionRecord(settings)
    record.lose("the broker did not like secret")
    record.lose("again: secret")
    told = record.tell(is_connected=False)
    assert told.last_error == "again: ***"
    for text in (repr(told), repr(settings), caplog.text):
        assert "secret" not in text
    assert "ada" not in repr(told)


def test_a_loss_is_logged_once_and_a_return_once(caplog):
    record = ConnectionRecord(MqttSettings(host="broker"))
    for _ in range(3):
        record.lose("gone")
    record.regain()
    record.lose("gone again")
    assert [line.message for line in caplog.records] == [
        "connection lost: gone",
        f"{record.where}: connected again",
        "connection lost: gone again",
    ]
    assert record.counts == {"reconnections": 1}


def test_only_a_source_follows_all_lines_of_a_group():
    url = "mqtt://broker/acme:west:cells/+"
    assert isinstance(MqttSource.from_url(url), MqttSource)
    for kind in (MqttSink, MqttFace):
        with pytest.raises(ConnectorError, match="one line"):
            kind.from_url(url)


def test_a_primary_host_is_for_sparkplug():
    with pytest.raises(ConnectorError, match="primary_host is for Sparkplug only"):
        MqttFace.from_url("mqtt://broker/a:b:c/d?scheme=uns&primary_host=x")
