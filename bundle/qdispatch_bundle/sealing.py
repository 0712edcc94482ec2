"""The files of a bundle on disk: hashing, checking, and writing a whole bundle atomically."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.manifest import (
    MANIFEST_DIGEST_FILE,
    MANIFEST_FILE,
    FileSeal,
    Manifest,
    read_manifest,
    write_manifest,
)


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """A bundle whose every byte is the one that was sealed. `files` holds the contents that were hashed."""

    manifest: Manifest
    digest: str  # SHA-256 of the manifest, hence of everything
    files: Mapping[str, bytes]


def seal(data: bytes) -> FileSeal:
    """SHA-256 and size of one file's content."""
    return FileSeal(hashlib.sha256(data).hexdigest(), len(data))


def read_sealed_manifest(directory: Path) -> tuple[Manifest, str]:
    """Read the manifest and its digest. Raises BundleError (MISSING_FILE, HASH_MISMATCH, SCHEMA, SCHEMA_VERSION)."""
    if not directory.is_dir():
        raise BundleError(RefusalReason.MISSING_FILE, f"{directory.name}: no such folder")
    data = _read(directory, MANIFEST_FILE)
    digest = hashlib.sha256(data).hexdigest()
    if _read(directory, MANIFEST_DIGEST_FILE) != _digest_line(digest):
        raise BundleError(RefusalReason.HASH_MISMATCH, f"{MANIFEST_FILE}: not what {MANIFEST_DIGEST_FILE} says")
    return read_manifest(data), digest


def read_sealed(directory: Path) -> SealedBundle:
    """Read every file once and check it against its seal.

    What is used later is the content hashed here, never the file again. Raises BundleError as
    `read_sealed_manifest`, with MISSING_FILE, UNREADABLE and HASH_MISMATCH for the other files too.
    """
    manifest, digest = read_sealed_manifest(directory)
    files = {}
    for name, expected in manifest.files.items():
        data = _read(directory, name)
        if seal(data) != expected:
            raise BundleError(RefusalReason.HASH_MISMATCH, f"{name}: not the file that was sealed")
        files[name] = data
    return SealedBundle(manifest, digest, files)


def write_sealed(directory: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write all files of a bundle into an existing, empty folder. The manifest must already hold their seals."""
    if {name: seal(data) for name, data in files.items()} != dict(manifest.files):
        raise ValueError("Expected the manifest to seal exactly these files.")
    manifest_bytes = write_manifest(manifest)
    digest_line = _digest_line(hashlib.sha256(manifest_bytes).hexdigest())
    for name, data in {**files, MANIFEST_FILE: manifest_bytes, MANIFEST_DIGEST_FILE: digest_line}.items():
        with (directory / name).open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())


def staging_folder(target: Path) -> Path:
    """Make an empty folder beside `target`, to be filled and then handed to `publish`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    staging.chmod(0o755)  # mkdtemp makes it private; a bundle is read by another user's server
    return staging


def publish(staging: Path, target: Path, *, replace: bool) -> None:
    """Rename a finished staging folder to `target`, so that nobody ever sees half a bundle.

    Raises FileExistsError when `target` exists and `replace` is false.
    """
    if not target.exists():
        staging.rename(target)
        return
    if not replace:
        raise FileExistsError(f"{target} exists already.")
    retired = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    target.rename(retired / target.name)
    staging.rename(target)
    shutil.rmtree(retired)


def _digest_line(digest: str) -> bytes:
    return f"{digest}  {MANIFEST_FILE}\n".encode()


def _read(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except FileNotFoundError as error:
        raise BundleError(RefusalReason.MISSING_FILE, f"{name}: missing") from error
    except OSError as error:
        raise BundleError(RefusalReason.UNREADABLE, f"{name}: {error.strerror}") from error
