"""Where independent pieces of work run: one after another in this process, or as tasks of a Ray cluster.

A piece is a function of plain arguments that returns what it computed and keeps nothing, so the numbers are the same
wherever it runs. Ray schedules; there is no scheduler of our own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar

from qdispatch_trainer.train import versions

Result = TypeVar("Result")
Landed = Callable[[list[Any]], None]
POLL_S, ANSWER_S = 1.0, 5.0


def nothing(_results: list[Any]) -> None:
    """Nobody wants to know what has landed."""


class WorkersError(Exception):
    """The cluster cannot be used; the message says why."""


class Workers(Protocol):
    """Runs pieces of work."""

    @property
    def count(self) -> int:
        """How many pieces run at once."""

    def map(
        self, piece: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], landed: Landed = nothing
    ) -> list[Result]:
        """The results in the order of the arguments. An exception of a piece is raised here.

        `landed` gets the results that came in since it was called last, in any order: after each piece in one process,
        every second on a cluster, then also when there are none.
        """

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""


class InProcess:
    """One after another, here."""

    count = 1

    def map(
        self, piece: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], landed: Landed = nothing
    ) -> list[Result]:
        """See `Workers`."""
        found = []
        for given in arguments:
            found.append(piece(*given))
            landed(found[-1:])
        return found

    def close(self) -> None:
        """There is nothing to leave."""


class OnRay:
    """Tasks of a Ray cluster, one processor core each. The cluster's nodes need this version installed."""

    def __init__(self, address: str) -> None:
        """`address`: of a running cluster (`auto` finds one on this machine), or `local` to start one here.

        Raises WorkersError without the extra, without a cluster, or when its workers run another version.
        """
        if find_spec("ray") is None:
            raise WorkersError("--ray needs Ray: install the extra [cluster]")
        import ray  # an extra

        _answers(address)
        self._ray = ray
        try:
            ray.init(address=address, log_to_driver=False, include_dashboard=False if address == "local" else None)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise WorkersError(f"No Ray cluster at {address!r}: {error}") from error
        theirs = ray.get(ray.remote(versions).remote())
        if theirs != versions():
            self.close()
            raise WorkersError(f"The cluster's workers run other versions: {theirs} there, {versions()} here.")

    @property
    def count(self) -> int:
        """Processor cores of the cluster."""
        return max(1, int(self._resources().get("CPU", 1)))

    def _resources(self) -> dict[str, float]:
        found: dict[str, float] = self._ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray's has no types
        return found

    def map(
        self, piece: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], landed: Landed = nothing
    ) -> list[Result]:
        """See `Workers`."""
        task = self._ray.remote(num_cpus=1, max_retries=3)(piece)
        started = [task.remote(*given) for given in arguments]
        left = started
        try:
            while left:
                ready, left = self._ray.wait(left, num_returns=len(left), timeout=POLL_S)
                landed(self._ray.get(ready))
            found: list[Result] = self._ray.get(started)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error
        return found

    def close(self) -> None:
        """See `Workers`."""
        self._ray.shutdown()


def _answers(address: str) -> None:
    """Raises WorkersError when nobody listens at host:port, which Ray itself would wait minutes for."""
    host, separator, port = address.rpartition(":")
    if not separator or "://" in address:
        return
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
    except (OSError, ValueError) as error:
        raise WorkersError(f"No Ray cluster at {address!r}: {error}") from error


def workers_at(address: str | None) -> Workers:
    """This process for None, else the cluster at the address."""
    return InProcess() if address is None else OnRay(address)
