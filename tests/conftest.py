"""Shared by every test: one thread per numeric library, so that two test processes do not fight for two cores."""

from __future__ import annotations

import os

# Set before numpy, torch or onnxruntime are first imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
