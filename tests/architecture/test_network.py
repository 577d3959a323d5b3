"""Tests cannot reach other machines."""

import socket

import pytest


def test_other_machines_are_refused():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client,
        pytest.raises(RuntimeError, match=r"192\.0\.2\.1.*must stay on this machine"),
    ):
        client.connect(("192.0.2.1", 80))


def test_datagrams_to_other_machines_are_refused():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        pytest.raises(RuntimeError, match="must stay on this machine"),
    ):
        client.sendto(b"x", ("192.0.2.1", 9))


def test_this_machine_is_allowed():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
