"""One worker process: the composition root of the serving side. Started by the supervisor, never by hand."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import IO

import structlog

from qdispatch_server import metrics
from qdispatch_server.admin_servicer import AdminServicer
from qdispatch_server.admission import Admission
from qdispatch_server.dispatch_servicer import DispatchServicer
from qdispatch_server.errors import StateUnavailableError
from qdispatch_server.grpc_server import GrpcServer, PortLostError
from qdispatch_server.log_events import configure_logging
from qdispatch_server.metrics_endpoint import multiprocess_directory
from qdispatch_server.model_repository import ModelRepository
from qdispatch_server.search import Searching
from qdispatch_server.server_status import ServerStatus
from qdispatch_server.service_day import known_zones
from qdispatch_server.shared_measurement import SharedMeasurement
from qdispatch_server.state.current_model import CurrentModelStore
from qdispatch_server.state.database import open_engine
from qdispatch_server.state.switch_board import SwitchBoard
from qdispatch_server.state.switches import SwitchStore
from qdispatch_server.suggestion import Suggester
from qdispatch_server.worker_pipe import EXIT_CANNOT_START, WorkerOrder, WorkerReport

LOG = structlog.get_logger("qdispatch.worker")
LOOK_UP_SECONDS = 0.5


class Wish(Enum):
    """What a signal asks of the worker."""

    RELOAD = auto()
    END = auto()


def run(order: WorkerOrder, reports: IO[str], orders: IO[str]) -> int:
    """Serves until told to end; returns the exit code."""
    config = order.config
    wishes: SimpleQueue[Wish] = SimpleQueue()
    listen_to_signals(wishes)
    threading.Thread(target=_end_with_supervisor, args=(orders, wishes), daemon=True).start()

    engine = open_engine(config.database_url.get_secret_value())
    store = SwitchStore(engine)
    company_default = config.company_default == "enabled"
    switches = SwitchBoard(store, company_default, config.poll_interval_seconds)
    models = ModelRepository(config.precision, SharedMeasurement(multiprocess_directory()))
    admission = Admission(config.max_in_flight)
    searching = Searching(config.search)
    status = ServerStatus(
        models, searching, config.commit_ahead_min, multiprocess_directory(), order.supervisor_started_at
    )
    dispatch = DispatchServicer(Suggester(models.current, searching, config.commit_ahead_min), switches, admission)
    server = GrpcServer(config, dispatch, AdminServicer(store, switches, status, company_default), order.shared_port)
    try:
        server.listen(config.host, order.port)  # not serving yet: health answers while the model loads
    except PortLostError as error:
        WorkerReport("cannot_start", str(error)).write(reports)
        return EXIT_CANNOT_START
    switches.start()
    searching.warm_up()
    known_zones()  # reads some six hundred names once, not in the first call
    current = CurrentModelStore(engine)

    def load() -> None:
        if config.bundle_dir is not None and models.load(config.bundle_dir):
            _record(current, models)
        # Without a bundle the heuristic answers, which the settings asked for. A refused one is a fault.
        server.set_serving(config.bundle_dir is None or models.loaded is not None)
        gc.collect()
        gc.freeze()  # what was loaded stays; no call waits for the collector to walk it

    load()
    metrics.WORKER_UP.set(1)
    WorkerReport("serving").write(reports)
    while next_wish(wishes) is Wish.RELOAD:
        load()
    # In the reverse of opening, from the outside in.
    admission.close()
    server.drain(config.drain_seconds)
    switches.stop()
    engine.dispose()
    metrics.WORKER_UP.set(0)
    LOG.info("worker_ended")
    return 0


def _record(current: CurrentModelStore, models: ModelRepository) -> None:
    model = models.current()
    if model is None:
        return
    try:
        current.record(model.version, datetime.now(UTC))
    except StateUnavailableError:
        LOG.warning("current_model_not_recorded", model_version=model.version)


def listen_to_signals(wishes: SimpleQueue[Wish]) -> None:
    """A handler runs inside the main thread: it may only touch what is reentrant, which `SimpleQueue.put` is.

    An Event is not: its lock may be held by the very code that the signal interrupts, and the worker would hang.
    """
    signal.signal(signal.SIGTERM, lambda *_: wishes.put(Wish.END))
    signal.signal(signal.SIGINT, lambda *_: wishes.put(Wish.END))
    signal.signal(signal.SIGHUP, lambda *_: wishes.put(Wish.RELOAD))


def next_wish(wishes: SimpleQueue[Wish]) -> Wish:
    """Waits for a wish, and looks up now and then.

    A handler runs in the main thread and a signal wakes it, but not one that arrives just before it falls asleep, or in
    another thread: the wish would be heard with the next signal only.
    """
    while True:
        with suppress(Empty):
            return wishes.get(timeout=LOOK_UP_SECONDS)


def _end_with_supervisor(orders: IO[str], wishes: SimpleQueue[Wish]) -> None:
    """The pipe from the supervisor ends with it: a worker never outlives it."""
    orders.read()
    wishes.put(Wish.END)


def main() -> None:
    """Entry point of the process: reads its order from stdin and reports on the pipe whose number it is given."""
    order = WorkerOrder.read(sys.stdin)
    configure_logging(order.config.log_level, worker=order.number)
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as reports:
        code = run(order, reports, sys.stdin)
    sys.exit(code)


if __name__ == "__main__":
    main()
