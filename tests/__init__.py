"""Tests mirror the source tree; shared pieces are imported as `tests.<module>`."""
