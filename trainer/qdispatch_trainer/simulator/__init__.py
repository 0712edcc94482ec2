"""The batched simulator: `DayBatch` runs N days at once; one day is N = 1."""
