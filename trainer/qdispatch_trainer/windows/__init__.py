"""The look-ahead windows of the heuristics: tuned per scenario on validation days, then frozen."""
