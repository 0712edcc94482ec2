"""More calls than one worker can answer in time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import grpc

from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestResponse
from tests.server.requests import clinic_day, error_info_of, large_request, retry_delay_of, status_of, suggest
from tests.server.server_process import channel_to, running_server


def test_overload_is_shed_with_a_delay_and_everybody_gets_an_answer(tmp_path: Path) -> None:
    with running_server(tmp_path, max_in_flight=2, log_level="info") as server:
        request = large_request(40, 120)
        answered: list[SuggestResponse] = []
        refused: list[grpc.RpcError] = []
        others: list[grpc.RpcError] = []
        lock = threading.Lock()

        def ask() -> None:
            with channel_to(server.address) as channel:
                try:
                    answer = suggest(channel, request, timeout=60)
                    with lock:
                        answered.append(answer)
                except grpc.RpcError as error:
                    with lock:
                        (refused if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED else others).append(error)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert others == []
        assert answered
        assert refused
        assert len(answered) + len(refused) == 12
        for error in refused:
            status = status_of(error)
            assert error_info_of(status).reason == "OVERLOADED"
            assert (retry_delay_of(status) or 0) > 0
        assert server.sample("qdispatch_shed_calls_total", reason="OVERLOADED") == len(refused)
        assert server.sample("qdispatch_calls_total", method="Suggest", code="OK") == len(answered)
        with channel_to(server.address) as channel:
            suggest(channel, clinic_day())  # and afterwards it serves as before


def test_a_deadline_too_short_for_the_queue_gets_no_answer(tmp_path: Path) -> None:
    with running_server(tmp_path, max_in_flight=8) as server:
        request = large_request(80, 250)
        with channel_to(server.address) as warm:
            started = time.perf_counter()
            suggest(warm, request, timeout=60)
            took = time.perf_counter() - started
        codes = []

        def ask(timeout: float) -> None:
            with channel_to(server.address) as channel:
                try:
                    suggest(channel, request, timeout=timeout)
                    codes.append(grpc.StatusCode.OK)
                except grpc.RpcError as error:
                    codes.append(error.code())

        threads = [threading.Thread(target=ask, args=(60 if n == 0 else took / 4,)) for n in range(6)]
        for thread in threads:
            thread.start()
            time.sleep(took / 100)
        for thread in threads:
            thread.join(120)
        assert grpc.StatusCode.OK in codes
        lost = [code for code in codes if code is not grpc.StatusCode.OK]
        assert lost
        assert set(lost) <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
