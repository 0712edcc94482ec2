"""The states of every round, one file each: written once, so that a resumable state costs no second copy of them."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qdispatch_trainer.imitation.states import States
from qdispatch_trainer.run_directory import RunError


class StateFiles:
    """A folder of a run. What a killed round left behind is overwritten when the round is played again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, round_number: int, states: States) -> None:
        """Write a round's states, atomically."""
        self._folder.mkdir(exist_ok=True)
        arrays: dict[str, npt.NDArray[np.generic]] = {f"count/{group}": n for group, n in states.counts.items()}
        arrays |= {f"{group}/{name}": a for group, columns in states.columns.items() for name, a in columns.items()}
        partial = self._path(round_number).with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path(round_number))

    def load(self, round_number: int) -> States:
        """What `save` wrote. Raises RunError when it is missing or damaged."""
        path = self._path(round_number)
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"The states of round {round_number} cannot be read: {error}") from error
        counts: dict[str, npt.NDArray[np.int64]] = {}
        columns: dict[str, dict[str, npt.NDArray[np.generic]]] = {}
        for key, array in arrays.items():
            group, name = key.split("/")
            if group == "count":
                counts[name] = array
            else:
                columns.setdefault(group, {})[name] = array
        return States(counts, columns)

    def remove(self) -> None:
        """Delete the folder: the training is over."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, round_number: int) -> Path:
        return self._folder / f"round-{round_number:06d}.npz"
