import pytest

from gigatwin.connectors.opcua import FaceSettings, OpcUaSettings, Security, Trust
from gigatwin.errors import ConnectorError

SECRET = {"GIGATWIN_OPCUA_PASSWORD": "hidden"}


def client(url, **more):
    return OpcUaSettings.from_url(url, environment=SECRET, **more)


def test_beyond_loopback_messages_are_protected_and_certificates_listed():
    settings = client("opc.tcp://op@line.example:4841/plant")
    assert (settings.security, settings.trust) == (Security.BASIC256SHA256, Trust.LISTED)
    assert settings.endpoint == "opc.tcp://line.example:4841/plant"
    assert not settings.is_writable


def test_the_password_comes_from_the_environment_and_never_shows():
    settings = client("opc.tcp://op@127.0.0.1")
    assert settings.password.get_secret_value() == "hidden"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("opc.tcp://op:hidden@host", "holds a password"),
        ("http://host", "no URL of an OPC UA server"),
        ("opc.tcp://host:x", "cannot be read"),
        ("opc.tcp://host?colour=red", "colour= is not known"),
        ("opc.tcp://host?queue=0", "queue"),
        ("opc.tcp://op@host?security=None", "in clear text"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_error(url, text):
    with pytest.raises(ConnectorError, match=text) as error:
        client(url)
    assert "hidden" not in str(error.value)


def test_a_server_beyond_loopback_is_open_to_nobody():
    with pytest.raises(ConnectorError, match="has no password"):
        FaceSettings.from_url("opc.tcp://op@0.0.0.0", environment={})
    with pytest.raises(ConnectorError, match="anybody could look"):
        FaceSettings.from_url("opc.tcp://0.0.0.0?is_anonymous=true", environment={})
    assert not FaceSettings.from_url("opc.tcp://0.0.0.0", environment={}).is_anonymous


def test_without_a_user_anybody_on_this_machine_may_look():
    assert FaceSettings.from_url("opc.tcp://127.0.0.1", environment={}).is_anonymous
    assert not FaceSettings.from_url("opc.tcp://op@127.0.0.1", environment=SECRET).is_anonymous
