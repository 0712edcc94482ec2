"""The protocol's limits, as the comments in `proto/qdispatch/v1` state them; enforced in `request_reader.py` alone."""

from __future__ import annotations

from typing import Final

MAX_REQUEST_BYTES: Final = 16 * 1024 * 1024
MAX_DRIVERS: Final = 300
MAX_BOOKINGS: Final = 1_000
MAX_TRIPS_PER_DRIVER: Final = 40
MAX_BREAKS_PER_DRIVER: Final = 4
MAX_MATRIX_LOCATIONS: Final = 1_500
MAX_MATRIX_SECONDS: Final = 86_400
MAX_MATRIX_METERS: Final = 5_000_000
MAX_ID_CHARACTERS: Final = 128
MAX_PERSONS: Final = 50
MAX_TOLERANCE_MIN: Final = 60.0
MAX_SERVICE_MIN: Final = 120.0
MAX_TRIPS_DONE_TODAY: Final = 200
MAX_DRIVEN_TODAY_MIN: Final = 24 * 60.0
MAX_WINDOW_TRIPS: Final = 10_000
MAX_WINDOW_DRIVEN_MIN: Final = 10_000 * 60.0
MAX_SHIFT_MIN: Final = 24 * 60.0
MAX_STATUS_COMPANIES: Final = 200
MAX_LISTED_COMPANIES: Final = 1_000
MAX_VIOLATIONS: Final = 100  # more are counted, not listed: the status travels in headers of limited size
MAX_REVISION: Final = 2**62
