from __future__ import annotations

import pytest

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.measurements import ClosedLoop, FormReport, Interval, LatencyRow, ModelForm
from qdispatch_export.selection import choose, verdict

DYNAMIC, QDQ, FP32 = ModelForm.INT8_DYNAMIC, ModelForm.INT8_QDQ, ModelForm.FP32


def report(form: ModelForm, milliseconds: float, *loops: tuple[float, float]) -> FormReport:
    """`loops`: (mean, half width) of the cost difference per scenario."""
    latency = (LatencyRow("a", 1, 1, 1, milliseconds), LatencyRow("b", 1, 1, 1, milliseconds * 4.0))
    played = tuple(
        ClosedLoop(f"s{index}", 100, 1_200_000, Interval(mean, mean - half, mean + half), ())
        for index, (mean, half) in enumerate(loops)
    )
    return FormReport(form, 500 if form is not FP32 else 1000, latency, None, 1, None, played, "")


REFERENCE = report(FP32, 1.0)


@pytest.mark.parametrize(
    "dynamic, qdq, kept, recommended, why",
    [
        (report(DYNAMIC, 0.8, (0.0, 1.0)), report(QDQ, 0.9, (0.0, 1.0)), DYNAMIC, Precision.INT8, "faster of two good"),
        (report(DYNAMIC, 0.9, (0.0, 1.0)), report(QDQ, 0.8, (0.0, 1.0)), QDQ, Precision.INT8, "the other way round"),
        (report(DYNAMIC, 0.5, (3.0, 1.0)), report(QDQ, 0.9, (0.0, 1.0)), QDQ, Precision.INT8, "faster, but worse"),
        (report(DYNAMIC, 1.2, (0.0, 1.0)), report(QDQ, 1.3, (0.0, 1.0)), DYNAMIC, Precision.FP32, "both slower"),
        (report(DYNAMIC, 0.97, (0.0, 1.0)), report(QDQ, 1.3, (0.0, 1.0)), DYNAMIC, Precision.FP32, "within the noise"),
        (report(DYNAMIC, 0.5, (9.0, 1.0)), report(QDQ, 0.9, (3.0, 1.0)), QDQ, Precision.FP32, "both worse"),
        (
            report(DYNAMIC, 0.5, (-1.0, 1.0), (3.0, 1.0)),
            report(QDQ, 0.9, (0.0, 1.0), (0.0, 1.0)),
            QDQ,
            Precision.INT8,
            "worse in one of two scenarios",
        ),
        (report(DYNAMIC, 0.5, (1.0, 1.0)), report(QDQ, 0.9, (0.0, 1.0)), DYNAMIC, Precision.INT8, "just reaches zero"),
        (report(DYNAMIC, 0.5), report(QDQ, 0.9, (0.0, 1.0)), QDQ, Precision.INT8, "never played"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_the_rule(dynamic: FormReport, qdq: FormReport, kept: ModelForm, recommended: Precision, why: str) -> None:
    choice = choose({FP32: REFERENCE, DYNAMIC: dynamic, QDQ: qdq})
    assert (choice.int8_form, choice.recommended) == (kept, recommended), why


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected FP32 and an INT8 form"):
        choose({FP32: REFERENCE})
    with pytest.raises(ValueError, match="Expected FP32 and an INT8 form"):
        choose({DYNAMIC: report(DYNAMIC, 1.0, (0.0, 1.0))})


@pytest.mark.parametrize(
    "found, words",
    [
        (report(DYNAMIC, 1.2, (0.0, 1.0)), ("not significantly worse", "1.20 x", "slower", "50%")),
        (report(DYNAMIC, 0.5, (5.0, 1.0)), ("significantly worse", "0.50 x", "faster")),
    ],
)
def test_the_verdict_says_it_plainly(found: FormReport, words: tuple[str, ...]) -> None:
    text = verdict(found, REFERENCE)
    assert all(word in text for word in words)
    assert text.startswith(words[0])
