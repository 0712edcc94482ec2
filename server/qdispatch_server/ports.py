"""Reserving the port before any worker starts, so that a second server on it fails with a clear error.

With several workers the port is shared by SO_REUSEPORT, and grpcio would let a second server join silently.
"""

from __future__ import annotations

import socket


class PortInUseError(Exception):
    """The wanted address is taken, or is none of this machine."""


def reserve_port(host: str, port: int, shared: bool) -> socket.socket:
    """Binds (never listens on) `host:port`, 0 for any free port, and returns the socket to be held until the end.

    `shared`: workers will bind it again with SO_REUSEPORT; else one worker binds it without.
    Raises PortInUseError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise PortInUseError(f"{host} is not an address: {error.strerror}") from None
    # The probe asks for the port alone: it fails when anybody listens there, sharing or not.
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are closing do not count
        _bind(probe, address, host, port)
    if not shared:
        return _bound(family, kind, protocol, address, host, port, socket.SO_REUSEADDR)
    try:
        # Without SO_REUSEADDR the reservation also excludes the probe of a second server that starts right now.
        return _bound(family, kind, protocol, address, host, port, socket.SO_REUSEPORT)
    except PortInUseError:
        # The probe found nobody: connections of a server that did not share the port are still closing.
        return _bound(family, kind, protocol, address, host, port, socket.SO_REUSEPORT, socket.SO_REUSEADDR)


def _bound(
    family: int, kind: int, protocol: int, address: tuple[object, ...], host: str, port: int, *options: int
) -> socket.socket:
    reserved = socket.socket(family, kind, protocol)
    for option in options:
        reserved.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        _bind(reserved, address, host, port)
    except PortInUseError:
        reserved.close()
        raise
    return reserved


def _bind(bound: socket.socket, address: tuple[object, ...], host: str, port: int) -> None:
    try:
        bound.bind(address)
    except OSError as error:
        raise PortInUseError(f"{host}:{port} cannot be used: {error.strerror}") from None


def target(host: str, port: int) -> str:
    """`host:port` as grpc and people write it, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
