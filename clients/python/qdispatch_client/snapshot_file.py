"""Snapshots and answers as JSON: the standard JSON form of their messages, with the protocol's field names.

So a file serves any gRPC tool as well. Instants are RFC 3339 ("2026-11-23T08:40:00+01:00"), spans seconds ("300s"),
enums the protocol's names ("LEG_OUTBOUND"). A key that the protocol does not know is an error.
"""

from __future__ import annotations

import json
from pathlib import Path

from google.protobuf import json_format

from qdispatch_client.calls import SERVER_STATUS, SNAPSHOT, SUGGESTION
from qdispatch_client.codec import RowError
from qdispatch_client.snapshot import Snapshot
from qdispatch_client.status import ServerStatus
from qdispatch_client.stubs.v1 import snapshot_pb2
from qdispatch_client.suggestion import Suggestion

# protobuf's complaints do not say what would be right, least of all for an instant without its offset.
_FORMS = '(instants: "2026-11-23T08:40:00+01:00", the offset required; spans: "300s"; enums: "LEG_OUTBOUND")'


class SnapshotFileError(ValueError):
    """A text that is no snapshot; says where and why."""


def snapshot_from_json(text: str) -> Snapshot:
    """The snapshot of a JSON text; SnapshotFileError if it is none."""
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise SnapshotFileError(f"expected a JSON object, got {type(content).__name__}")
        return SNAPSHOT.decode(json_format.ParseDict(content, snapshot_pb2.Snapshot()))
    except json.JSONDecodeError as error:
        raise SnapshotFileError(f"no JSON: {error}") from error
    except json_format.ParseError as error:
        raise SnapshotFileError(f"{error}\n{_FORMS}") from error
    except RowError as error:
        raise SnapshotFileError(str(error)) from error


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot of a JSON file; OSError if it cannot be read, SnapshotFileError if it is no snapshot."""
    try:
        return snapshot_from_json(path.read_text("utf-8"))
    except (SnapshotFileError, UnicodeDecodeError) as error:
        raise SnapshotFileError(f"{path}: {error}") from error


def snapshot_to_json(snapshot: Snapshot) -> str:
    """The JSON text of a snapshot."""
    return json_format.MessageToJson(SNAPSHOT.encode(snapshot), preserving_proto_field_name=True)


def suggestion_to_json(suggestion: Suggestion) -> str:
    """The JSON text of an answer; fields that are zero or empty are written too."""
    return json_format.MessageToJson(
        SUGGESTION.encode(suggestion), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def status_to_json(status: ServerStatus) -> str:
    """The JSON text of a server's status; fields that are zero or empty are written too."""
    return json_format.MessageToJson(
        SERVER_STATUS.encode(status), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
