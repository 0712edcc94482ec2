"""The gRPC server of one worker: services, health, reflection, limits of the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from qdispatch_client.stubs.v1 import admin_service_pb2, dispatch_service_pb2
from qdispatch_server.admin_servicer import AdminServicer
from qdispatch_server.calls import CallPool
from qdispatch_server.config import Config
from qdispatch_server.dispatch_servicer import DispatchServicer
from qdispatch_server.limits import MAX_REQUEST_BYTES
from qdispatch_server.ports import target

DISPATCH = dispatch_service_pb2.DESCRIPTOR.services_by_name["DispatchService"].full_name
ADMIN = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name
SPARE_THREADS = 16  # refusals, health checks and admin calls never wait for a Suggest
MIN_PING_INTERVAL_MS = 10_000
POLL_SECONDS = 0.02
LAST_BYTES_SECONDS = 0.2
Serving = health_pb2.HealthCheckResponse.ServingStatus


class PortLostError(Exception):
    """The reserved port could not be bound."""


class GrpcServer:
    """Built not serving; `listen`, then `set_serving`, in the end `drain`."""

    def __init__(self, config: Config, dispatch: DispatchServicer, admin: AdminServicer, shared_port: bool) -> None:
        self._pool = CallPool(config.max_in_flight + SPARE_THREADS)
        self._server = grpc.server(
            self._pool,
            options=[
                ("grpc.so_reuseport", int(shared_port)),
                ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
                ("grpc.max_send_message_length", -1),
                # Callers may keep an idle connection alive; by default grpc answers such pings with GOAWAY.
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
            ],
        )
        self._register(
            DISPATCH,
            {"Suggest": (dispatch.suggest, dispatch_service_pb2.SuggestResponse.SerializeToString)},
        )
        self._register(
            ADMIN,
            {
                "GetStatus": (admin.get_status, admin_service_pb2.GetStatusResponse.SerializeToString),
                "SetEnabled": (admin.set_enabled, admin_service_pb2.SetEnabledResponse.SerializeToString),
            },
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.set_serving(False)
        if config.reflection:
            names = (DISPATCH, ADMIN, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    def _register(self, service: str, methods: Mapping[str, tuple[Callable[..., Any], Callable[..., bytes]]]) -> None:
        handlers = {
            # No deserializer: the handlers read the bytes themselves.
            name: grpc.unary_unary_rpc_method_handler(handler, None, serializer)
            for name, (handler, serializer) in methods.items()
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self._server.add_registered_method_handlers(service, handlers)  # type: ignore[attr-defined]  # newer than its stubs

    def listen(self, host: str, port: int) -> None:
        """Binds the reserved port and takes calls. Raises PortLostError."""
        try:
            self._server.add_insecure_port(target(host, port))
        except RuntimeError:
            raise PortLostError(f"{target(host, port)} is used by another program") from None
        self._server.start()

    def set_serving(self, serving: bool) -> None:
        """What health says of the server and of each service."""
        status = Serving.SERVING if serving else Serving.NOT_SERVING
        for service in ("", DISPATCH, ADMIN):
            self._health.set(service, status)

    def drain(self, grace_seconds: float) -> None:
        """Not serving at once; new calls are refused, those in flight may end within the grace.

        Whoever watches health keeps a stream open for good: the drain ends with the last call, not with the watchers.
        """
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(grace_seconds)
        while self._pool.inside and not stopped.wait(POLL_SECONDS):
            pass
        stopped.wait(LAST_BYTES_SECONDS)  # the answers just written are on their way
        self._server.stop(None).wait()
