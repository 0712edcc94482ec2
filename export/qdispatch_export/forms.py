"""The forms of one network, made and opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnxruntime as ort

from qdispatch_bundle.feature_lock import build_model
from qdispatch_bundle.manifest import Limits, ModelKind
from qdispatch_bundle.measurements import ModelForm
from qdispatch_bundle.model import Model
from qdispatch_bundle.onnx_session import Array, open_session
from qdispatch_export.quantization import dynamic_int8, prepare, qdq_int8, qdq_int8_of_all_operators


@dataclass(frozen=True, slots=True)
class OpenForm:
    """One form: its bytes, a session on them, and the session as a model."""

    data: bytes
    session: ort.InferenceSession
    model: Model


def open_form(kind: ModelKind, data: bytes, limits: Limits, *, optimise: bool = True) -> OpenForm:
    """Open a graph. Raises BundleError when it does not fit its kind."""
    session = open_session(data, optimise=optimise)
    return OpenForm(data, session, build_model(kind, session, limits))


def quantized_forms(
    kind: ModelKind, fp32: bytes, calibration: Sequence[Mapping[str, Array]], limits: Limits
) -> dict[ModelForm, OpenForm]:
    """All INT8 forms of a graph; `calibration` are graph inputs by name."""
    prepared = prepare(fp32)
    made = {
        ModelForm.INT8_DYNAMIC: dynamic_int8(prepared),
        ModelForm.INT8_QDQ_ALL: qdq_int8_of_all_operators(prepared, calibration),
        ModelForm.INT8_QDQ: qdq_int8(prepared, calibration),
    }
    return {form: open_form(kind, data, limits) for form, data in made.items()}
