"""Nobody gets into the OPC UA server without a password, and nobody does more than they may."""

import asyncio
import contextlib
import shutil

import pytest
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from gigatwin.connectors.opcua import OpcUaFace, OpcUaSource
from gigatwin.connectors.opcua.security import Login, Role, own_identity, write_logins
from gigatwin.errors import ConnectorError
from tests.services.opcua_line import ENVIRONMENT, PASSWORD, SPEED, STATE, TAGS, Line

NODE = f"ns=5;s={SPEED}"


@contextlib.asynccontextmanager
async def served(folder, **options):
    line = await Line(folder, **options).start()
    try:
        yield line
    finally:
        await line.face.close()


@contextlib.asynccontextmanager
async def plain_client(line, user="", password=""):
    """A client that knows nothing of us, without any protection."""
    client = Client(f"opc.tcp://127.0.0.1:{line.port}")
    if user:
        client.set_user(user)
        client.set_password(password)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


def test_users_without_the_password_stay_outside(opcua_folder):
    async def scenario():
        async with served(opcua_folder) as line:
            tried = [("", ""), ("op", "wrong"), ("op", ""), ("somebody", PASSWORD)]
            for user, password in tried:
                with pytest.raises(ua.UaStatusCodeError):
                    async with plain_client(line, user, password):
                        pytest.fail(f"{user!r} came in")

    asyncio.run(scenario())


def test_the_name_admin_opens_nothing(opcua_folder):
    async def scenario():
        async with served(opcua_folder) as line:
            for name in ("admin", "Admin"):
                for password in ("", "admin", PASSWORD):
                    with pytest.raises(ua.UaStatusCodeError):
                        async with plain_client(line, name, password):
                            pytest.fail(f"{name} came in")

    asyncio.run(scenario())


def test_guessing_is_stopped_and_who_was_in_before_still_comes_in(opcua_folder):
    async def scenario():
        async with served(opcua_folder) as line:
            async with plain_client(line, "op", PASSWORD):
                pass
            for number in range(8):
                with pytest.raises(ua.UaStatusCodeError):
                    async with plain_client(line, "op", f"guess {number}"):
                        pass
            async with plain_client(line, "op", PASSWORD) as client:
                assert await client.get_namespace_array()

    asyncio.run(scenario())


def test_viewers_read_and_operators_write(tmp_path):
    write_logins(tmp_path / "accounts.json", [Login.make("eve", Role.VIEWER, "look")])

    async def scenario():
        async with served(tmp_path) as line:
            await line.show(SPEED, 10.0)
            async with plain_client(line, "eve", "look") as client:
                assert await client.get_node(NODE).read_value() == 10.0
                with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                    await client.get_node(NODE).write_value(20.0)
                with pytest.raises(ua.UaStatusCodeError):
                    await client.nodes.objects.add_variable(5, "mine", 1)
            assert line.written == []
            async with plain_client(line, "op", PASSWORD) as client:
                await client.get_node(NODE).write_value(20.0)
                assert await client.get_node(NODE).read_value() == 20.0
                with pytest.raises(ua.uaerrors.BadNotWritable):
                    await client.get_node(f"ns=5;s={STATE}").write_value(6, ua.VariantType.Int64)
                with pytest.raises(ua.UaStatusCodeError):
                    await client.nodes.objects.add_variable(5, "mine", 1)
            assert [write.value for write in line.written] == [20.0]

    asyncio.run(scenario())


def test_an_anonymous_viewer_is_let_in_only_where_that_was_said(opcua_folder):
    async def scenario():
        async with served(opcua_folder, options="?is_anonymous=true") as line:
            await line.show(SPEED, 10.0)
            async with plain_client(line) as client:
                assert await client.get_node(NODE).read_value() == 10.0
                with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                    await client.get_node(NODE).write_value(20.0)

    asyncio.run(scenario())


def test_writes_that_make_no_sense_are_refused_with_a_status(opcua_folder):
    async def scenario():
        async with served(opcua_folder) as line, plain_client(line, "op", PASSWORD) as client:
            node = client.get_node(NODE)
            cases = [
                (ua.Variant("fast"), ua.uaerrors.BadTypeMismatch),
                (ua.Variant([1.0, 2.0]), ua.uaerrors.BadTypeMismatch),
                (ua.Variant(float("nan")), ua.uaerrors.BadOutOfRange),
                (ua.Variant(500.0), ua.uaerrors.BadOutOfRange),
            ]
            for variant, error in cases:
                with pytest.raises(error):
                    await node.write_value(variant)
            reason = await client.get_node(f"{NODE}/LastRefusal").read_value()
            assert reason == "500 is above 100 items/min"
            assert line.written == []

    asyncio.run(scenario())


def test_beyond_loopback_only_protected_channels_with_known_certificates_will_do(tmp_path):
    server, own = tmp_path / "server", tmp_path / "own"

    async def scenario():
        async with served(server, host="0.0.0.0") as line:  # noqa: S104 - what is to be refused
            # asyncua opens unprotected channels even where none is offered.
            with pytest.MonkeyPatch.context() as careless:
                first = staticmethod(lambda endpoints, _mode, _uri: endpoints[0])
                careless.setattr(Client, "find_endpoint", first)
                with pytest.raises(ua.uaerrors.BadSecurityModeRejected):
                    async with plain_client(line, "op", PASSWORD):
                        pytest.fail("came in without protection")
            settings = line.client(own, "?security=Basic256Sha256")
            source = OpcUaSource(settings)
            with pytest.raises(ConnectorError, match="does not trust this side"):
                await source.open()
            (rejected,) = (server / "rejected").iterdir()
            (server / "trusted").mkdir()
            shutil.move(rejected, server / "trusted")
            await source.open()
            assert SPEED in {tag.name for tag in await source.browse()}
            await source.close()

    asyncio.run(scenario())


def test_a_certificate_that_is_not_repeated_is_checked_all_the_same(tmp_path):
    class Silent(Client):
        async def create_session(self):
            # Leave the certificate out of the request: asyncua then calls no validator.
            create = self.uaclient.create_session

            async def without(params):
                params.ClientCertificate = None
                return await create(params)

            self.uaclient.create_session = without
            return await super().create_session()

    async def scenario():
        async with served(tmp_path / "server", host="0.0.0.0") as line:  # noqa: S104 - what is to be refused
            mine = own_identity(tmp_path / "own", "client")
            client = Silent(f"opc.tcp://127.0.0.1:{line.port}")
            client.application_uri = mine.uri
            client.set_user("op")
            client.set_password(PASSWORD)
            await client.set_security(SecurityPolicyBasic256Sha256, mine.certificate, mine.key)
            with pytest.raises(ua.uaerrors.BadCertificateUntrusted):
                await client.connect()

    asyncio.run(scenario())


def test_a_server_whose_certificate_changes_is_not_trusted(tmp_path):
    async def scenario():
        port = 0
        for number, folder in enumerate((tmp_path / "first", tmp_path / "second")):
            async with served(folder, port=port) as line:
                port = line.port
                settings = line.client(tmp_path / "own", "?security=Basic256Sha256")
                source = OpcUaSource(settings)
                if number:
                    with pytest.raises(ConnectorError, match="certificate is not trusted"):
                        await source.open()
                else:
                    await source.open()
                await source.close()

    asyncio.run(scenario())


def test_a_taken_port_is_one_error(opcua_folder):
    async def scenario():
        async with served(opcua_folder) as line:
            second = Line(opcua_folder, line.port)
            with pytest.raises(ConnectorError, match="cannot listen there"):
                await second.start()

    asyncio.run(scenario())


def test_a_server_that_nobody_may_enter_does_not_start(tmp_path):
    settings = Line(tmp_path).settings.model_copy(update={"user": ""})

    async def scenario():
        with pytest.raises(ConnectorError, match="nobody may enter"):
            await OpcUaFace(settings).open(TAGS, None)

    asyncio.run(scenario())


def test_nobody_registers_servers_before_a_login(opcua_folder):
    async def scenario():
        async with served(opcua_folder) as line:
            client = Client(f"opc.tcp://127.0.0.1:{line.port}")
            await client.connect_sessionless()
            request = ua.RegisteredServer()
            request.ServerUri = "urn:somebody"
            request.ServerNames = [ua.LocalizedText("somebody")]
            with pytest.raises(ua.uaerrors.BadServiceUnsupported):
                await client.uaclient.register_server(request)
            await client.disconnect_sessionless()

    asyncio.run(scenario())


def test_the_password_is_in_no_file_of_the_server(tmp_path):
    async def scenario():
        async with served(tmp_path):
            pass

    write_logins(tmp_path / "accounts.json", [Login.make("eve", Role.VIEWER, PASSWORD)])
    asyncio.run(scenario())
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert ENVIRONMENT["GIGATWIN_OPCUA_PASSWORD"].encode() not in file.read_bytes()
    assert (tmp_path / "server.pem").stat().st_mode & 0o077 == 0
    assert (tmp_path / "accounts.json").stat().st_mode & 0o077 == 0
