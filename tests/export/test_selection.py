from __future__ import annotations

import dataclasses

import pytest

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.measurements import ClosedLoop, FormReport, Interval, LatencyRow, ModelForm
from qdispatch_export.selection import choose, verdict

DYNAMIC, QDQ, ALL, FP32 = ModelForm.INT8_DYNAMIC, ModelForm.INT8_QDQ, ModelForm.INT8_QDQ_ALL, ModelForm.FP32


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


def rows(form: ModelForm, milliseconds: dict[str, float], mean: float = 0.0) -> FormReport:
    latency = tuple(LatencyRow(size, 1, 1, 1, ms) for size, ms in milliseconds.items())
    return dataclasses.replace(report(form, 1.0, (mean, 1.0)), latency=latency)


def test_the_fastest_of_every_size_is_named_among_those_that_are_permitted() -> None:
    choice = choose(
        {
            FP32: rows(FP32, {"a": 1.0, "b": 10.0, "c": 5.0}),
            DYNAMIC: rows(DYNAMIC, {"a": 2.0, "b": 8.0, "c": 4.9}),
            QDQ: rows(QDQ, {"a": 3.0, "b": 9.0, "c": 4.0}),
            ALL: rows(ALL, {"a": 0.1, "b": 0.1, "c": 0.1}, mean=5.0),  # fast, and significantly worse
        }
    )
    assert [(row.size, row.form, row.median_ms, row.share_of_fp32) for row in choice.fastest] == [
        ("a", FP32, 1.0, 1.0),
        ("b", DYNAMIC, 8.0, 0.8),
        ("c", QDQ, 4.0, 0.8),
    ]
    assert choice.int8_form is not ALL


def test_agreement_decides_nothing() -> None:
    good = report(QDQ, 0.9, (0.0, 1.0))
    poor = dataclasses.replace(report(DYNAMIC, 0.8, (0.0, 1.0)), top1_agreement=0.01, max_q_difference=1e6)
    assert choose({FP32: REFERENCE, DYNAMIC: poor, QDQ: good}).int8_form is DYNAMIC


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected FP32 and an INT8 form"):
        choose({FP32: REFERENCE})
    with pytest.raises(ValueError, match="Expected FP32 and an INT8 form"):
        choose({DYNAMIC: report(DYNAMIC, 1.0, (0.0, 1.0))})


@pytest.mark.parametrize(
    "found, words",
    [
        (report(DYNAMIC, 1.2, (0.0, 1.0)), ("not significantly worse", "1.20 x", "slower", "50%")),
        (
            report(DYNAMIC, 0.5, (0.0, 1.0), (5.0, 1.0)),
            ("significantly worse in closed loop in s1,", "0.50 x", "faster"),
        ),
    ],
)
def test_the_verdict_says_it_plainly(found: FormReport, words: tuple[str, ...]) -> None:
    text = verdict(found, REFERENCE)
    assert all(word in text for word in words)
    assert text.startswith(words[0])
