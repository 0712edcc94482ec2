from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from qdispatch_bundle.sealing import publish, read_sealed, staging_folder, write_sealed


def test_a_staging_folder_is_beside_its_target_and_readable_by_all(tmp_path: Path) -> None:
    staging = staging_folder(tmp_path / "deep" / "bundle")
    assert staging.parent == tmp_path / "deep"
    assert oct(staging.stat().st_mode)[-3:] == "755"


def test_publishing_replaces_only_when_told(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    for content, replace in (("one", False), ("two", True)):
        staging = staging_folder(target)
        (staging / "file").write_text(content)
        publish(staging, target, replace=replace)
        assert (target / "file").read_text() == content
        assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    staging = staging_folder(target)
    with pytest.raises(FileExistsError):
        publish(staging, target, replace=False)
    assert (target / "file").read_text() == "two"


def test_files_that_the_manifest_does_not_seal_are_not_written(pristine_bundle: Path, tmp_path: Path) -> None:
    sealed = read_sealed(pristine_bundle)
    with pytest.raises(ValueError, match="seal exactly these files"):
        write_sealed(tmp_path, sealed.manifest, {**sealed.files, "model.fp32.onnx": b"other"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_already_there_is_never_overwritten(pristine_bundle: Path, bundle_folder: Path) -> None:
    sealed = read_sealed(pristine_bundle)
    with pytest.raises(FileExistsError):
        write_sealed(bundle_folder, sealed.manifest, sealed.files)


def test_the_digest_file_is_in_the_form_of_sha256sum(pristine_bundle: Path) -> None:
    digest = hashlib.sha256((pristine_bundle / "manifest.json").read_bytes()).hexdigest()
    assert (pristine_bundle / "manifest.sha256").read_text() == f"{digest}  manifest.json\n"
    assert read_sealed(pristine_bundle).digest == digest
