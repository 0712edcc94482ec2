"""`python -m qdispatch_server.healthcheck`: exits 0 when the server on this machine serves; for containers.

Takes host and port from the same environment as the server (QDISPATCH_SERVER_HOST, QDISPATCH_SERVER_PORT).
"""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from qdispatch_server.config import ENVIRONMENT_PREFIX, Config
from qdispatch_server.ports import target

TIMEOUT_SECONDS = 2.0
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # what only says where to listen -> what can be asked


def main() -> int:
    """0: SERVING; 1: anything else, with one line saying what."""
    fields = Config.model_fields
    host = os.environ.get(f"{ENVIRONMENT_PREFIX}HOST", fields["host"].default)
    port = int(os.environ.get(f"{ENVIRONMENT_PREFIX}PORT", fields["port"].default))
    address = target(EVERY_ADDRESS.get(host, host), port)
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS, wait_for_ready=True
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"{address}: {error.code().name}\n")
            return 1
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    if not serving:
        sys.stderr.write(f"{address}: {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}\n")
    return 0 if serving else 1


if __name__ == "__main__":
    sys.exit(main())
