"""Measures the forms of a network side by side: size, latency, agreement, closed loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.measurements import ClosedLoop, FormReport, KpiTable, LatencyRow, ModelForm
from qdispatch_bundle.synthetic_inputs import synthetic_observations
from qdispatch_export.agreement import measure_agreement
from qdispatch_export.closed_loop import Figures, compare_closed_loop, kpi_table, play_costs
from qdispatch_export.forms import OpenForm
from qdispatch_export.latency import measure_latency
from qdispatch_export.moments import Moment
from qdispatch_export.selection import verdict
from qdispatch_trainer.policies import HEURISTICS, REFERENCE
from qdispatch_trainer.scenarios import Scenario

_COMPARED = (REFERENCE, "random feasible", "nearest driver", "regret-2")

Say = Callable[[str], None]


def play_forms(
    forms: Mapping[ModelForm, OpenForm], scenarios: Sequence[Scenario], days: int, say: Say
) -> dict[str, dict[ModelForm, Figures]]:
    """Figures of every judging day, by scenario and form; all forms meet the same days."""
    played: dict[str, dict[ModelForm, Figures]] = {scenario.name: {} for scenario in scenarios}
    for scenario in scenarios:
        for form, opened in forms.items():
            say(f"Playing {days} days of {scenario.name} with {form.value}")
            played[scenario.name][form] = play_costs(scenario, days, opened.model)
    return played


def measure_forms(
    kind: ModelKind,
    forms: Mapping[ModelForm, OpenForm],
    moments: Sequence[Moment],
    closed_loop: Mapping[ModelForm, tuple[ClosedLoop, ...]],
    latency_runs: int,
    say: Say,
) -> dict[ModelForm, FormReport]:
    """Reports of all forms; `moments` (not those used to calibrate) are for the agreement."""
    fp32 = forms[ModelForm.FP32]
    say("Measuring latency")
    sizes = synthetic_observations(kind, np.random.default_rng(0), edges=False)
    latency = measure_latency({form: opened.session for form, opened in forms.items()}, sizes, latency_runs)
    reference = _reference(fp32, latency[ModelForm.FP32], len(moments))
    reports = {ModelForm.FP32: reference}
    for form, opened in forms.items():
        if form is not ModelForm.FP32:
            agreement = measure_agreement(fp32.session, opened.session, moments)
            report = FormReport(
                form=form,
                bytes=len(opened.data),
                latency=latency[form],
                top1_agreement=agreement.top1,
                observations=agreement.observations,
                max_q_difference=agreement.max_q_difference,
                closed_loop=closed_loop[form],
                verdict="",
            )
            reports[form] = dataclasses.replace(report, verdict=verdict(report, reference))
    return reports


def compare_with_fp32(
    scenarios: Sequence[Scenario], days: int, played: Mapping[str, Mapping[ModelForm, Figures]]
) -> dict[ModelForm, tuple[ClosedLoop, ...]]:
    """Each INT8 form against FP32 on the same days, per scenario."""
    found: dict[ModelForm, list[ClosedLoop]] = {}
    for scenario in scenarios:
        figures = dict(played[scenario.name])
        fp32 = figures.pop(ModelForm.FP32)
        for form, compared in compare_closed_loop(scenario, days, fp32, figures).items():
            found.setdefault(form, []).append(compared)
    return {form: tuple(rows) for form, rows in found.items()}


def compare_policies(
    scenarios: Sequence[Scenario], days: int, played: Mapping[str, Mapping[ModelForm, Figures]], say: Say
) -> tuple[KpiTable, ...]:
    """Key figures of the FP32 graph and of the heuristics on the judging days, against the server's fallback."""
    tables = []
    for scenario in scenarios:
        say(f"Playing {days} days of {scenario.name} with the heuristics")
        figures = {name: play_costs(scenario, days, HEURISTICS[name]()) for name in _COMPARED}
        figures["model fp32"] = dict(played[scenario.name][ModelForm.FP32])
        tables.append(kpi_table(scenario, days, REFERENCE, figures))
    return tuple(tables)


def _reference(opened: OpenForm, latency: tuple[LatencyRow, ...], observations: int) -> FormReport:
    return FormReport(ModelForm.FP32, len(opened.data), latency, None, observations, None, (), "the reference")
