"""docs/benchmarks/quality.md, from the result files alone. What is missing is a line "not measured"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qdispatch_domain.classic import DRIVERS as FLAT_DRIVERS
from qdispatch_trainer.comparators import COMPARATORS, JOINT_MATCHING, Kind
from qdispatch_trainer.paired_difference import Interval
from qdispatch_trainer.policies import HEURISTICS, MODEL
from qdispatch_trainer.quality.compare import compare, mean
from qdispatch_trainer.quality.model_policies import FLAT, MODEL_POLICIES
from qdispatch_trainer.quality.result import Result, slug
from qdispatch_trainer.quality.targets import (
    HINDSIGHT,
    PLANNER,
    SCENARIOS,
    UNSEEN,
    NotMeasured,
    Results,
    Verdict,
    compared,
    find,
    gap_closed,
    percent_and_days,
    signed,
    targets_of,
    verdicts,
)
from qdispatch_trainer.scenarios import SCENARIOS as ALL_SCENARIOS

LABEL_SIGN = "--"  # in a file's name, between the policy and the label of a variant
SEED_LABEL = "seed-"
EXPECTED = (*HEURISTICS, *(name for name in COMPARATORS if name not in HEURISTICS), *MODEL_POLICIES, HINDSIGHT)
SHOWN = (
    ("served_percent", "served %", 2),
    ("late_outbound_percent", "late outbound %", 1),
    ("late_return_percent", "late return %", 1),
    ("deadhead_km", "empty km", 0),
    ("gap_trips", "gap (trips)", 2),
    ("same_driver_percent", "same driver %", 0),
    ("emergency_trips", "EMERGENCY trips", 2),
)
INTRODUCTION = (
    "Cost in minutes-equivalent a day, lower is better ([dispatch-rules.md](../dispatch-rules.md)). Every policy meets",
    "the same test days through the same candidates, decoder and hard rules; the heuristics with the look-ahead window",
    "tuned for the scenario on validation days ([windows.md](windows.md)). *model*: the shipped network alone; *model",
    "with search*: what the server answers with it where numba is installed. Differences are paired by day; ± and [ ]",
    "are 95 % intervals. *Decision*: mean (p95) wall time from rows in to rows out, as in the server, on one thread.",
    "*Broken rules*: found by the independent validator in so many days' decision logs. Hindsight knows the whole day",
    "and its noise, pays for EMERGENCY drivers instead of obeying their rule, and is an estimate, not a bound.",
)


def quality_page(results: Results, validation: Results, subject: str, figure: str) -> str:
    """The whole page. `validation`: joint matching and hindsight on validation days; `figure`: the picture's path."""
    return "\n".join(
        [
            "# Quality",
            "",
            "Written by `qdispatch-trainer quality docs/benchmarks/quality` from the files in that folder, which",
            "`qdispatch-trainer measure` wrote; no number is typed in by hand.",
            "",
            *INTRODUCTION,
            "",
            f"![Cost against decision time]({figure})",
            "",
            "A point a policy, with its 95 % interval; dashed: hindsight. Above the dotted line the scale is tighter.",
            "",
            f"## Targets ({subject})",
            *_verdict_tables(verdicts(results, subject)),
            "",
            "## What hindsight leaves to gain (before training, validation days)",
            *_hindsight_table(validation),
            *(
                line
                for name in ALL_SCENARIOS
                for line in ("", *_scenario_section(name, results.get(name, {}), subject))
            ),
            "",
            "## Sizes unseen in training",
            *_generalisation(results, subject),
            "",
            "## Training seeds",
            *_variants(results, subject, seeds=True),
            "",
            "## Ablations",
            *_variants(results, subject, seeds=False),
            "",
            "## Where and when",
            *_provenance(results),
            "",
        ]
    )


def _verdict_tables(found: Sequence[Verdict]) -> list[str]:
    by = {(verdict.target, verdict.scenario): verdict for verdict in found}
    lines = ["", *_head(["target", *SCENARIOS], left=len(SCENARIOS) + 1)]
    for target in targets_of(list(found)):
        cells = [by[target, s].word if (target, s) in by else "" for s in SCENARIOS]
        lines.append(_row([target, *cells]))
    for target in targets_of(list(found)):
        lines += ["", f"### {target}", *_head(["scenario", "figures", "verdict"], left=3)]
        lines += [_row([v.scenario, v.figures, v.word]) for v in found if v.target == target]
    return lines


def _hindsight_table(validation: Results) -> list[str]:
    head = ["scenario", "days", "joint matching", "hindsight", "gap", "12 % below is", "half the gap is", "what bites"]
    lines = [
        "Mean cost of joint matching (tuned window) and of hindsight. The target that asks for the lower cost bites.",
        "",
    ]
    lines += _head(head, left=1)
    for name in ALL_SCENARIOS:
        try:
            joint, best = find(validation, name, JOINT_MATCHING), find(validation, name, HINDSIGHT)
        except NotMeasured as missing:
            lines.append(_row([name, f"not measured: {missing}", *[""] * 6]))
            continue
        found = compare(best, joint)
        if found is None:
            lines.append(_row([name, "not measured: no common days", *[""] * 6]))
            continue
        j, h = found.reference_mean, found.subject_mean
        twelve, half = 0.88 * j, (j + h) / 2.0
        share = 100.0 * (j - twelve) / (j - h) if j > h else float("inf")
        bites = (
            f"12 % (= {share:.0f} % of the gap)" if twelve < half else f"half the gap (= {100 * (j - half) / j:.0f} %)"
        )
        gap = f"{j - h:,.0f} ± {found.difference.half_width or 0.0:,.0f} ({100 * (j - h) / j:.0f} %)"
        days = f"{found.difference.days}"
        lines.append(_row([name, days, f"{j:,.0f}", f"{h:,.0f}", gap, f"{twelve:,.0f}", f"{half:,.0f}", bites]))
    return lines


def _scenario_section(name: str, rows: Mapping[str, Result], subject: str) -> list[str]:
    lines = [f"## {name}"]
    reference = rows.get(slug(subject))
    shown = sorted(
        (row for stem, row in rows.items() if LABEL_SIGN not in stem), key=lambda row: float(row.kpis["cost"].mean())
    )
    head = [
        "policy",
        "days",
        "cost",
        f"{subject} − policy",
        *(title for _, title, _ in SHOWN),
        "decision ms",
        "broken rules",
    ]
    if shown:
        first, last = min(row.first_seed for row in shown), max(row.seeds.stop for row in shown) - 1
        lines += [f"Test days {first:,} to {last:,}; scenario {shown[0].scenario_digest}.", "", *_head(head, left=1)]
        lines += [_row(_policy_cells(row, reference)) for row in shown]
    too_large = ALL_SCENARIOS[name].max_drivers > FLAT_DRIVERS
    missing = [policy for policy in EXPECTED if slug(policy) not in rows and not (too_large and policy == FLAT)]
    if missing:
        lines += ["", f"Not measured: {', '.join(missing)}."]
    if too_large:
        lines += ["", f"The {FLAT} takes {FLAT_DRIVERS} drivers at most: none of these days."]
    return lines


def _policy_cells(row: Result, reference: Result | None) -> list[str]:
    is_subject = reference is not None and row.policy == reference.policy
    difference = None if reference is None or is_subject else compare(reference, row)
    timing = row.timing.get("day")
    validated = row.validated
    return [
        f"**{title_of(row)}**" if is_subject else title_of(row),
        str(row.days),
        _plus_minus(mean(row, "cost")),
        "–" if difference is None else signed(difference.difference),
        *(_number(mean(row, kpi), digits) for kpi, _, digits in SHOWN),
        "–" if timing is None else f"{timing.mean_ms:.2f} ({timing.p95_ms:.2f})",
        f"{validated.broken_rules} in {validated.days} days" if validated.days else "–",
    ]


def title_of(row: Result) -> str:
    """The policy's name with what was tuned: its window, or its moves and its lead."""
    if row.kind is Kind.HEURISTIC:
        return f"{row.policy}, {row.parameters['window_min']:g} min"
    if row.kind is Kind.PLANNER:
        return f"{row.policy}, {row.parameters['moves']:,} moves, {row.parameters['lead_min']:g} min ahead"
    if row.kind is Kind.SOLVER:
        return f"{row.policy}, {row.parameters['lead_min']:g} min ahead"
    return row.policy


def _generalisation(results: Results, subject: str) -> list[str]:
    lines = [
        f"Cost of {subject} relative to other policies' on the same days. Fleets in training: up to 30 drivers.",
        "",
    ]
    others = (JOINT_MATCHING, PLANNER)
    lines += _head(
        ["scenario", "size in training", *(f"against {other}" for other in others), "gap to hindsight closed"], left=2
    )
    for name in ALL_SCENARIOS:
        cells = [name, "no" if name in UNSEEN else "yes"]
        for other in others:
            try:
                cells.append(percent_and_days(compared(results, name, subject, other).percent))
            except NotMeasured as missing:
                cells.append(f"not measured: {missing}")
        try:
            cells.append(gap_closed(*(find(results, name, p) for p in (JOINT_MATCHING, subject, HINDSIGHT))))
        except NotMeasured as missing:
            cells.append(f"not measured: {missing}")
        lines.append(_row(cells))
    return lines


def _variants(results: Results, subject: str, seeds: bool) -> list[str]:
    """Files <policy>--<label>.json: other training seeds (label seed-…) or ablations, against joint matching.

    The network without its search is an ablation of the subject, too.
    """
    stems = {stem for rows in results.values() for stem in rows}
    chosen = {stem for stem in stems if stem.partition(LABEL_SIGN)[2].startswith(SEED_LABEL) == seeds}
    chosen = {stem for stem in chosen if LABEL_SIGN in stem}
    if not seeds and slug(subject) != MODEL:
        chosen |= stems & {MODEL}
    if not chosen:
        return ["Not measured."]
    names = [name for name in ALL_SCENARIOS if any(stem in results.get(name, {}) for stem in chosen)]
    lines = ["Cost against joint matching's, percent.", "", *_head(["variant", *names], left=1)]
    bases = {slug(subject)} | ({stem.partition(LABEL_SIGN)[0] for stem in chosen} & stems if seeds else set())
    for stem in sorted(bases | chosen, key=lambda stem: (not seeds and stem != slug(subject), stem)):
        cells = [stem]
        for name in names:
            row, joint = results[name].get(stem), results[name].get(slug(JOINT_MATCHING))
            found = None if row is None or joint is None else compare(row, joint)
            cells.append("not measured" if found is None else percent_and_days(found.percent))
        lines.append(_row(cells))
    return lines


def _provenance(results: Results) -> list[str]:
    rows = [row for of_scenario in results.values() for row in of_scenario.values()]
    if not rows:
        return ["Not measured."]
    machines = sorted(
        {f"{r.machine['processor']}, {r.machine['logical_cores']} cores, Python {r.machine['python']}" for r in rows}
    )
    loads = [timing.load for row in rows for timing in row.timing.values()]
    revisions = sorted({row.revision[:12] for row in rows})
    lines = [
        f"Machines: {'; '.join(machines)}. Cost weights {', '.join(sorted({row.weights_digest for row in rows}))}.",
        f"Revisions of the code that played: {', '.join(revisions)}.",
    ]
    if loads:
        lines.append(f"Load average before the timings: {min(loads):.2f} to {max(loads):.2f}.")
    paces = [t.pace_ms for row in rows for t in row.timing.values() if t.pace_ms is not None]
    if paces:
        lines.append(
            "How fast the machine was when it timed them: a million additions in Python took "
            f"{min(paces):.0f} to {max(paces):.0f} ms."
        )
    return lines


def _head(titles: Sequence[str], left: int) -> list[str]:
    return [_row(titles), _row(["---"] * left + ["---:"] * (len(titles) - left))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plus_minus(value: Interval | None) -> str:
    if value is None:
        return "–"
    return f"{value.mean:,.0f}" + ("" if value.half_width is None else f" ± {value.half_width:,.0f}")


def _number(value: Interval | None, digits: int) -> str:
    return "–" if value is None else f"{value.mean:,.{digits}f}"
