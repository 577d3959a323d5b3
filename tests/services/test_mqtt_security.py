"""Users, passwords and encrypted connections, at a real broker."""

import asyncio
import datetime as dt
import ipaddress
import logging
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gigatwin.connectors.mqtt import MqttFace, MqttSink, MqttSource
from gigatwin.errors import ConnectorError
from gigatwin.telemetry import Instruction, TagWrite
from gigatwin.testing import BatchReader
from tests.services.conftest import find_program, free_port
from tests.services.mqtt_line import PATH, PATIENCE, SPEED, STATE, TAGS, batch, reading

USER, PASSWORD = "ada", "se/cret"


async def show(url, environment):
    """Return a line that has told its state."""

    async def write(_):
        return ""

    face = MqttFace.from_url(url, environment)
    await face.open(TAGS, write)
    await face.publish(batch(reading(STATE, 6), reading(SPEED, 1.0)))
    return face


async def follow_a_line(url, environment):
    """Return the diagnostics of a source and of a sink that both did their work."""
    face = await show(url, environment)
    source = MqttSource.from_url(url, environment)
    sink = MqttSink.from_url(url, environment, is_writable=True)
    try:
        await source.open()
        await sink.open()
        async with BatchReader(source, PATIENCE) as reader:
            await reader.wait_for(STATE, 6)
        receipt = await sink.send(Instruction("a", (TagWrite(SPEED, 2.0),), 1e12, "Ada"))
        assert receipt.is_done, receipt
        return source.diagnostics(), sink.diagnostics()
    finally:
        await sink.close()
        await source.close()
        await face.close()


@pytest.fixture
def guarded(make_mosquitto, tmp_path):
    """A broker that asks for user and password."""
    file = tmp_path / "passwords"
    program = find_program("mosquitto_passwd")
    subprocess.run([program, "-b", "-c", file, USER, PASSWORD], check=True)
    return make_mosquitto(f"allow_anonymous false\npassword_file {file}\n")


def test_user_and_password_open_the_broker_and_are_told_to_nobody(guarded, caplog):
    caplog.set_level(logging.DEBUG)
    url = f"mqtt://{USER}:se%2Fcret@127.0.0.1:{guarded.port}/{PATH}"
    environment = {"GIGATWIN_MQTT_USER": USER, "GIGATWIN_MQTT_PASSWORD": PASSWORD}
    told = [
        *asyncio.run(follow_a_line(url, {})),
        *asyncio.run(follow_a_line(f"{guarded.url}/{PATH}", environment)),
    ]
    for text in (repr(told), caplog.text):
        assert "cret" not in text
        assert USER not in text


@pytest.mark.parametrize("login", ["", "ada:wrong@", "eve:se%2Fcret@"])
def test_a_wrong_password_is_one_error_at_once(guarded, login):
    source = MqttSource.from_url(f"mqtt://{login}127.0.0.1:{guarded.port}/{PATH}", {})

    async def scenario():
        with pytest.raises(ConnectorError, match=r"Connection Refused.*user and password"):
            await asyncio.wait_for(source.open(), 5.0)
        await source.close()

    asyncio.run(scenario())
    assert "wrong" not in repr(source.diagnostics())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(name, key, signer_name, signer_key, *, is_authority):
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(signer_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(signer_key, hashes.SHA256())
    )


@pytest.fixture
def certificates(tmp_path):
    """A folder with an authority, another one, and what the first has signed."""
    keys = {
        name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "other", "broker", "us")
    }
    for name, key in keys.items():
        signer = name if name in {"ca", "other"} else "ca"
        certificate = _certificate(name, key, signer, keys[signer], is_authority=signer == name)
        (tmp_path / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (tmp_path / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return tmp_path


@pytest.fixture
def encrypted(make_mosquitto, certificates):
    """URL of a broker that shows a certificate and asks for one."""
    port = free_port()
    for file in certificates.iterdir():
        file.chmod(0o644)
    make_mosquitto(
        f"listener {port} 127.0.0.1\ncafile {certificates}/ca.pem\n"
        f"certfile {certificates}/broker.pem\nkeyfile {certificates}/broker.key\n"
        "require_certificate true\n"
    )
    return f"mqtts://127.0.0.1:{port}/{PATH}"


def test_certificates_of_both_sides_open_an_encrypted_connection(encrypted, certificates):
    url = (
        f"{encrypted}?ca={certificates}/ca.pem&cert={certificates}/us.pem&key={certificates}/us.key"
    )
    told, _ = asyncio.run(follow_a_line(url, {}))
    assert told.where.startswith("mqtts://127.0.0.1:")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ca={0}/other.pem&cert={0}/us.pem&key={0}/us.key", "certificate verify failed"),
        ("cert={0}/us.pem&key={0}/us.key", "certificate verify failed"),
        ("ca={0}/none.pem", "none.pem; must be certificates"),
        ("ca={0}/ca.pem&cert={0}/us.pem&key={0}/ca.key", "must be certificates"),
    ],
)
def test_whoever_cannot_be_trusted_is_refused(encrypted, certificates, query, found):
    source = MqttSource.from_url(f"{encrypted}?{query.format(certificates)}", {})

    async def scenario():
        with pytest.raises(ConnectorError, match=found):
            await asyncio.wait_for(source.open(), 5.0)
        await source.close()

    asyncio.run(scenario())


def test_a_client_without_a_certificate_is_refused(encrypted, certificates):
    source = MqttSource.from_url(f"{encrypted}?ca={certificates}/ca.pem", {})

    async def scenario():
        with pytest.raises(ConnectorError, match=r"must be a broker that takes this client"):
            await asyncio.wait_for(source.open(), 5.0)
        await source.close()

    asyncio.run(scenario())


def test_plain_words_to_an_encrypted_broker_are_one_error(encrypted):
    source = MqttSource.from_url(encrypted.replace("mqtts", "mqtt"), {})

    async def scenario():
        with pytest.raises(ConnectorError, match=r"mqtt:// or mqtts://"):
            await asyncio.wait_for(source.open(), 5.0)
        await source.close()

    asyncio.run(scenario())
