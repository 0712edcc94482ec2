"""The example of the client's README runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qdispatch_client.stubs.v1 import dispatch_service_pb2
from tests.client.filled_messages import filled
from tests.client.scripted_server import scripted_server

README = Path(__file__).parents[2] / "clients/python/README.md"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)
    answer = filled(dispatch_service_pb2.SuggestResponse)
    with scripted_server(answer) as script:
        source = example.replace("127.0.0.1:50051", script.target)
        exec(compile(source, str(README), "exec", dont_inherit=True), {"__name__": "example"})
    assert [seen.request.snapshot.bookings[0].id for seen in script.seen] == ["booking-1"]
    assert capsys.readouterr().out.count("→") == len(answer.picks)
