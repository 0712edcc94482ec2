"""Long work says how far it is: plain lines in a file, a bar with the time left on a real terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from qdispatch_trainer.watching import LINE_EVERY_SECONDS, PlainWatch

COMPARE = ("compare", "cheapest insertion", "regret-2", "--days", "100")
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours and movements of a terminal


def on_a_terminal(*arguments: str) -> str:
    """What the command writes to standard error when that is a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm"}
    command = [sys.executable, "-m", "qdispatch_trainer.entry", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait() == 0
    return SEQUENCE.sub("", written.decode())


def test_plain_lines_come_when_a_part_starts_and_then_now_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now, file = 100.0, io.StringIO()
    monkeypatch.setattr("qdispatch_trainer.watching.time.monotonic", lambda: now)
    with PlainWatch(Console(file=file, width=200)) as watch:
        watch.begin("clinic-day, regret-2", 60, "days")
        watch.done(20, "cost 1,200 a day")
        now += LINE_EVERY_SECONDS
        watch.done(40, "cost 1,250 a day")
        watch.done(60)
    lines = file.getvalue().splitlines()
    assert lines == ["clinic-day, regret-2: 60 days", "clinic-day, regret-2: 40 of 60 days  cost 1,250 a day"]


def test_a_terminal_shows_bars_with_figures_and_time_left() -> None:
    shown = on_a_terminal(*COMPARE)
    assert "clinic-day, regret-2" in shown
    for count in (0, 25, 50, 75, 100):
        assert f" {count}/100 days" in shown
    assert re.search(r"75/100 days 0:00:0\d cost [\d,]+ a day", shown)  # the time left, and what came of it so far


@pytest.mark.parametrize("command", [COMPARE, ("evaluate", "--comparator", "regret-2", "--days", "2")])
def test_json_leaves_standard_output_to_machines(command: tuple[str, ...], tmp_path: Path) -> None:
    given = [sys.executable, "-m", "qdispatch_trainer.entry", *command, "--json"]
    piped = subprocess.run([*given, "-"], capture_output=True, text=True, check=True)
    subprocess.run([*given, str(tmp_path / "a.json")], capture_output=True, check=True)
    assert json.loads(piped.stdout) == json.loads((tmp_path / "a.json").read_text())
    assert "regret-2" in piped.stderr
    assert not Path("-").exists()
