"""A PostgreSQL server of the test's own, in a temporary folder, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.system_packages import require_system


def _user() -> Mapping[str, Any]:
    """PostgreSQL refuses to run as root: there it runs as another user."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    return {"user": "postgres" if "postgres" in known else "nobody"}


@contextmanager
def running_postgres() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database; skips the test where PostgreSQL is not installed."""
    initdb, postgres = require_system("initdb", "postgres")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="qd-pg-"))  # not below pytest's folder, which other users may not enter
    try:
        if user:
            shutil.chown(folder, user["user"])
        data = folder / "data"
        command = [str(initdb), "-D", str(data), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [str(postgres), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **user,
        )
        try:
            _wait_for(port, server)
            yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # does not wait for clients that forgot to leave
            server.wait(30)
    finally:
        shutil.rmtree(folder)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "PostgreSQL ended"
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=tester dbname=postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL did not start")
