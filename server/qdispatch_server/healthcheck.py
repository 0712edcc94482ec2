"""`python -m qdispatch_server.healthcheck`: exit 0 when the server on this machine reports SERVING, else 1.

For container health checks, where neither grpc_health_probe nor curl is at hand. Asks grpc.health.v1 for the whole
server (service name "").
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from qdispatch_server.config import ENVIRONMENT_PREFIX, Config

SERVING, NOT_SERVING = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask once; prints what was found and returns the exit code."""
    options = _parser().parse_args(arguments)
    with grpc.insecure_channel(options.target) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=options.timeout_seconds
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"{options.target}: {error.code().name}\n")
            return NOT_SERVING
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    sys.stdout.write(f"{options.target}: {status}\n")
    return SERVING if answer.status == health_pb2.HealthCheckResponse.SERVING else NOT_SERVING


def _parser() -> argparse.ArgumentParser:
    port = os.environ.get(f"{ENVIRONMENT_PREFIX}PORT", str(Config.model_fields["port"].default))
    parser = argparse.ArgumentParser(prog="python -m qdispatch_server.healthcheck", description=__doc__)
    parser.add_argument(
        "--target",
        default=f"127.0.0.1:{port}",
        help=f"address of the server (default: this machine, port of ${ENVIRONMENT_PREFIX}PORT, else the usual one)",
    )
    parser.add_argument(
        "--timeout-seconds", type=float, default=2.0, help="how long to wait for the answer (default: 2)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
