from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from qdispatch_server.ports import PortInUseError, reserve_port, target


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that another program listens on, sharing as grpc shares."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_that_is_listened_on_is_refused_even_where_it_could_be_shared(listening: int, shared: bool) -> None:
    with pytest.raises(PortInUseError, match=f"127.0.0.1:{listening} cannot be used"):
        reserve_port("127.0.0.1", listening, shared)


def test_a_second_server_is_refused_while_the_first_is_still_starting() -> None:
    with reserve_port("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        for shared in (True, False):
            with pytest.raises(PortInUseError):
                reserve_port("127.0.0.1", port, shared)


def test_workers_may_share_what_is_reserved() -> None:
    with reserve_port("127.0.0.1", 0, shared=True) as reserved, socket.socket() as one, socket.socket() as two:
        for worker in (one, two):
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind(reserved.getsockname())
            worker.listen()


def test_one_worker_may_take_what_is_reserved_and_then_nobody_else() -> None:
    with reserve_port("127.0.0.1", 0, shared=False) as reserved, socket.socket() as worker:
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        worker.bind(reserved.getsockname())
        worker.listen()
        with pytest.raises(PortInUseError):
            reserve_port("127.0.0.1", reserved.getsockname()[1], shared=False)


def test_what_is_no_address_is_told() -> None:
    with pytest.raises(PortInUseError, match="not an address"):
        reserve_port("no.such.host.invalid", 1, shared=False)
    with pytest.raises(PortInUseError, match="cannot be used"):
        reserve_port("192.0.2.1", 0, shared=False)  # a documentation address, none of this machine


def test_target_brackets_ipv6() -> None:
    assert (target("127.0.0.1", 1), target("::1", 1)) == ("127.0.0.1:1", "[::1]:1")


def test_connections_that_are_closing_do_not_keep_a_shared_reservation_away() -> None:
    """A server with one worker ended first; its side of a connection lingers (TIME_WAIT), then two workers start."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the server's side closes first
            assert client.recv(1) == b""
    with socket.socket() as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):  # it does linger
            alone.bind(("127.0.0.1", port))
    with reserve_port("127.0.0.1", port, shared=True) as reserved:
        assert reserved.getsockname()[1] == port
