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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.system_packages import require_system


def _user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: there it runs as another user."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known["postgres" if "postgres" in known else "nobody"]


def _becoming(user: pwd.struct_passwd | None) -> list[str]:
    """The start of a command that runs as `user`.

    Not by subprocess's own `user`: that one forks, and gRPC's handlers crash the child while a channel is open.
    """
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


class Postgres:
    """One database cluster; `stop` and `start` it as often as a test likes."""

    def __init__(self, folder: Path, initdb: Path, postgres: Path) -> None:
        user = _user()
        self._becoming = _becoming(user)
        self._folder = folder
        self._postgres = postgres
        self._process: subprocess.Popen[bytes] | None = None
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        command = [str(initdb), "-D", str(folder / "data"), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8"]
        subprocess.run([*self._becoming, *command], check=True, capture_output=True, cwd="/")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of an empty database."""
        return f"postgresql+psycopg://tester@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Starts it and waits until it takes connections."""
        data, port = str(self._folder / "data"), str(self._port)
        postgres = [str(self._postgres), "-D", data, "-h", "127.0.0.1", "-p", port, "-k", str(self._folder), "-F"]
        command = [*self._becoming, *postgres]
        quiet = subprocess.DEVNULL
        for _ in range(300):
            if self._process is None or self._process.poll() is not None:
                # Ended: between a stop and a start anybody's connection may hold the port for a moment.
                self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd="/")
            try:
                psycopg.connect(f"host=127.0.0.1 port={port} user=tester dbname=postgres", connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError("PostgreSQL did not start")

    def stop(self) -> None:
        """Stops it and breaks every connection."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # does not wait for clients that forgot to leave
            self._process.wait(30)
            self._process = None


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A running cluster; skips the test where PostgreSQL is not installed."""
    initdb, postgres = require_system("initdb", "postgres")
    folder = Path(tempfile.mkdtemp(prefix="qd-pg-"))  # not below pytest's folder, which other users may not enter
    try:
        cluster = Postgres(folder, initdb, postgres)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)
