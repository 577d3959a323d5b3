"""The OPC UA connector keeps the promises of the ports."""

import asyncio

import pytest

from gigatwin.connectors.opcua import OpcUaSettings, OpcUaSink, OpcUaSource
from gigatwin.telemetry import TagWrite
from gigatwin.testing.connector_contract import SinkContract, SourceContract
from tests.services.opcua_line import ENVIRONMENT, HIGHEST, PASSWORD, SPEED, Line

REALS = ("winding_1/Status.CurMachSpeed", SPEED)


class Changing:
    tags = REALS

    def __init__(self, folder):
        self.folder = folder
        self.line = Line(folder)

    async def start(self):
        await self.line.start()
        for tag in self.tags:
            await self.line.show(tag, 0.0)
        return self

    async def change(self, tag, value):
        await self.line.show(tag, value)

    async def restart(self):
        port = self.line.port
        await self.line.face.close()
        await asyncio.sleep(0.3)
        self.line = Line(self.folder, port)
        await self.start()

    async def close(self):
        await self.line.face.close()


class Written:
    tags = (SPEED, "winding_1/Command.Setting.tension")
    refused = TagWrite(SPEED, HIGHEST + 1)

    def __init__(self, folder):
        self.line = Line(folder)

    @property
    def written(self):
        return self.line.written

    async def close(self):
        await self.line.face.close()


class TestOpcUaSource(SourceContract):
    secrets = (PASSWORD,)

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, opcua_folder):
        self.folder, self.own = opcua_folder, tmp_path

    async def start_other_side(self):
        return await Changing(self.folder).start()

    def make_source(self, other):
        return OpcUaSource(other.line.client(self.own, "?pause=0.1"))

    def make_source_to_nowhere(self):
        url = "opc.tcp://op@127.0.0.1:1"
        settings = OpcUaSettings.from_url(url, folder=self.own, environment=ENVIRONMENT)
        return OpcUaSource(settings)


class TestOpcUaSink(SinkContract):
    secrets = (PASSWORD,)

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, opcua_folder):
        self.folder, self.own = opcua_folder, tmp_path

    async def start_other_side(self):
        other = Written(self.folder)
        await other.line.start()
        return other

    def make_sink(self, other, *, is_writing):
        return OpcUaSink(other.line.client(self.own, is_writable=is_writing))
