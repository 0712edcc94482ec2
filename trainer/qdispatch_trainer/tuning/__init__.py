"""Tuning: an Optuna study over the learner, never the task, that survives its workers and measures its winner anew."""
