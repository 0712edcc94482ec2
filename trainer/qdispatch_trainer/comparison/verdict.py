"""The outcome of a comparison in one sentence per contestant, in words that claim no more than is proved."""

from __future__ import annotations

from qdispatch_trainer.comparison.comparing import Comparison
from qdispatch_trainer.comparison.key_figures import KEY_FIGURES


def verdict(comparison: Comparison, contestant: str) -> str:
    """What the contestant does otherwise than the first one, with intervals, and where no difference is proved."""
    proved, open_ = [], []
    for figure in KEY_FIGURES:
        found = comparison.differences[contestant][figure.name]
        if found.paired is None or not found.proved:
            open_.append(figure.title)
            continue
        difference = found.paired.difference
        more = difference.mean > 0.0
        ends = sorted(abs(end) for end in (difference.low, difference.high) if end is not None)
        between = " to ".join(f"{end:,.{figure.digits}f}" for end in ends)
        amount = f"{abs(difference.mean):,.{figure.digits}f} ({between})"
        proved.append((figure.more if more else figure.less).format(amount))
    against = f"{contestant} against {comparison.first}"
    if not proved:
        return f"{against}: no difference is proved in {_listed(open_)}."
    rest = f"; no difference is proved in {_listed(open_)}" if open_ else ""
    return f"{against}: {_listed(proved)}{rest}."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
