"""How a training by this recipe reads while it runs."""

from __future__ import annotations

from typing import Any

from qdispatch_trainer.progress import Wording


def _round_text(values: dict[str, Any]) -> str:
    if values["stage"] == "q":
        return (
            f"{values['decisions']} decisions tried  mean gain {values['mean_gain']:+.1f} min  "
            f"played {values['acting_seconds']:.0f} s  updated {values['updating_seconds']:.0f} s  "
            f"advantage loss {values.get('loss_advantage', 0.0):.3f}  anchor {values.get('loss_anchor', 0.0):.3f}"
        )
    return (
        f"{values['states']} states  "
        f"played {values['acting_seconds']:.0f} s  updated {values['updating_seconds']:.0f} s  "
        f"beta {values['beta']:.2f}  loss {values['loss_loss']:.3f}  "
        f"recall {values['recall']:.2f}  precision {values['precision']:.2f}"
    )


def _validation_text(values: dict[str, Any]) -> str:
    mark = "  best" if values["is_best"] else ""
    single = ", ".join(f"{name} {cost:.3f}" for name, cost in values["by_scenario"].items())
    return f"validation: cost {values['relative_cost']:.4f} of {values['reference']}'s ({single}){mark}"


WORDING = Wording("rounds", lambda values: int(values["rounds"]), _round_text, _validation_text)
