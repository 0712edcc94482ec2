"""A comparison as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from qdispatch_trainer.comparison.comparing import Comparison, Difference
from qdispatch_trainer.comparison.key_figures import KEY_FIGURES, KeyFigure
from qdispatch_trainer.comparison.sizes import SizeRow

WIDTH = 118


def comparison_table(comparison: Comparison, contestant: str) -> Table:
    """One contestant against the first: a row per key figure."""
    seeds = comparison.seeds
    table = Table(
        title=f"{comparison.scenario.name}: {contestant} against {comparison.first}, {len(seeds)} days, "
        f"seeds {seeds[0]} to {seeds[-1]}",
        caption="Differences are paired by day, [ ] is the 95 % interval of one difference. p is Holm's, over all "
        "differences of this comparison; * proved at 5 %. Effect: mean by standard deviation of the differences.",
    )
    table.add_column("", no_wrap=True)
    for title in (comparison.first, contestant, "difference", "effect", "p", "days better / equal / worse"):
        table.add_column(title, justify="right")
    for figure in KEY_FIGURES:
        found = comparison.differences[contestant][figure.name]
        means = [_number(comparison, name, figure) for name in (comparison.first, contestant)]
        unit = "" if figure.title.endswith(figure.unit) else f", {figure.unit}"
        table.add_row(f"{figure.title}{unit}", *means, *_cells(found, figure))
    return table


def _number(comparison: Comparison, contestant: str, figure: KeyFigure) -> str:
    mean = comparison.mean(contestant, figure.name)
    return "–" if mean is None else f"{mean.mean:,.{figure.digits}f}"


def _cells(found: Difference, figure: KeyFigure) -> tuple[str, str, str, str]:
    if found.paired is None:
        return "not measured", "–", "–", "–"
    one, digits = found.paired, figure.digits
    difference, effect = one.difference, one.effect_size
    better, worse = (one.higher, one.lower) if figure.higher_is_better else (one.lower, one.higher)
    return (
        f"{difference.mean:+,.{digits}f} [{difference.low:+,.{digits}f}, {difference.high:+,.{digits}f}]",
        "–" if effect is None else f"{effect:+.2f}",
        f"{found.adjusted_p:.3f}{' *' if found.proved else ''}",
        f"{better} / {one.ties} / {worse}",
    )


def size_table(rows: Sequence[SizeRow], first: str) -> Table:
    """Cost on every size."""
    table = Table(
        title=f"Sizes: cost a day, and in percent of {first}'s on the same days",
        caption="In training: whether so many drivers were in the contestant's training; [ ]: 95 % interval.",
    )
    for title in ("scenario", "policy", "in training"):
        table.add_column(title, no_wrap=title == "scenario")
    for title in ("days", "cost", f"against {first}"):
        table.add_column(title, justify="right")
    for row in rows:
        trained = "" if row.in_training is None else "yes" if row.in_training else "no"
        if row.refused is not None:
            table.add_row(row.scenario, row.contestant, trained, "–", "–", row.refused)
            continue
        percent = row.percent
        against = "" if percent is None else f"{percent.mean:+.1f} [{percent.low:+.1f}, {percent.high:+.1f}] %"
        table.add_row(row.scenario, row.contestant, trained, str(row.days), f"{row.cost:,.0f}", against)
    return table
