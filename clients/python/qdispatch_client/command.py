"""`qdispatch`: ask a server from the command line.

Exit codes: 0 answered; 1 the server failed or refused; 2 wrong usage, unreadable file or invalid snapshot; 3 no server,
overload or deadline (try again); 4 somebody else changed the switch first.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from qdispatch_client.client import Client
from qdispatch_client.codec import RowError
from qdispatch_client.errors import (
    AbortedError,
    CallError,
    DeadlineExceededError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from qdispatch_client.snapshot_file import SnapshotFileError, read_snapshot, status_to_json, suggestion_to_json
from qdispatch_client.status import CompanySwitch
from qdispatch_client.status_table import status_lines, switch_line
from qdispatch_client.suggestion_table import suggestion_lines

ANSWERED, FAILED, USAGE, TRY_AGAIN, CHANGED = 0, 1, 2, 3, 4
_EXIT_CODES: dict[type[CallError], int] = {
    InvalidArgumentError: USAGE,
    UnavailableError: TRY_AGAIN,
    ResourceExhaustedError: TRY_AGAIN,
    DeadlineExceededError: TRY_AGAIN,
    AbortedError: CHANGED,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with Client(options.target) as client:
            lines: list[str] = options.run(client, options)
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error), USAGE)
    except (SnapshotFileError, RowError, ZoneInfoNotFoundError) as error:
        return _complain(str(error), USAGE)
    except CallError as error:
        return _complain(f"{options.target}: {error}", _EXIT_CODES.get(type(error), FAILED))
    sys.stdout.write("\n".join(lines) + "\n")
    return ANSWERED


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"qdispatch: {text}\n")
    return code


def _suggest(client: Client, options: argparse.Namespace) -> list[str]:
    snapshot = read_snapshot(options.snapshot)
    suggestion = client.suggest(snapshot, company_id=options.company, deadline_seconds=options.deadline)
    if options.json:
        return [suggestion_to_json(suggestion)]
    return suggestion_lines(snapshot, suggestion, ZoneInfo(snapshot.time_zone), options.candidates)


def _status(client: Client, options: argparse.Namespace) -> list[str]:
    status = client.get_status(deadline_seconds=options.deadline, company_ids=options.company)
    return [status_to_json(status)] if options.json else status_lines(status)


def _enable(client: Client, options: argparse.Namespace) -> list[str]:
    return [switch_line(_switch(client, options, enabled=True))]


def _disable(client: Client, options: argparse.Namespace) -> list[str]:
    return [switch_line(_switch(client, options, enabled=False))]


def _switch(client: Client, options: argparse.Namespace, *, enabled: bool) -> CompanySwitch:
    """Switch a company; without --revision from the revision that the server has now."""
    revision: int | None = options.revision
    if revision is None:
        status = client.get_status(deadline_seconds=options.deadline, company_ids=[options.company])
        revision = status.companies[0].revision
    return client.set_enabled(options.company, enabled, expected_revision=revision, deadline_seconds=options.deadline)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qdispatch", description="Ask a QDispatch server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    suggest = commands.add_parser("suggest", help="who should take which booking, what it costs, and why nobody can")
    suggest.add_argument("snapshot", type=Path, help="JSON file of a qdispatch.v1.Snapshot")
    suggest.add_argument("--company", required=True, help="company id, whose switch decides whether the model answers")
    suggest.add_argument("--candidates", type=_count, default=3, help="drivers shown per booking (default: 3)")
    suggest.add_argument("--json", action="store_true", help="the whole answer for machines")
    suggest.set_defaults(run=_suggest)

    status = commands.add_parser("status", help="what the server runs and has done")
    status.add_argument("company", nargs="*", help="companies to report (default: all that were ever switched)")
    status.add_argument("--json", action="store_true", help="the whole status for machines")
    status.set_defaults(run=_status)

    for name, run, text in (
        ("enable", _enable, "let the model answer"),
        ("disable", _disable, "let the heuristic answer"),
    ):
        switch = commands.add_parser(name, help=f"{text} for a company")
        switch.add_argument("company", metavar="COMPANY", help="company id")
        switch.add_argument("--revision", type=int, help="change only this revision (default: the present one)")
        switch.set_defaults(run=run)

    for command in commands.choices.values():
        command.add_argument(
            "--target",
            default=os.environ.get("QDISPATCH_TARGET", "127.0.0.1:50051"),
            help="address of the server (default: $QDISPATCH_TARGET, else 127.0.0.1:50051)",
        )
        command.add_argument("--deadline", type=_seconds, default=5.0, help="seconds to wait at most (default: 5)")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, at most 3600, got {text!r}")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)
