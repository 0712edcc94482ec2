"""`qdispatch-trainer evaluate` (being written)."""


def evaluate_command() -> None:
    """Evaluate."""
