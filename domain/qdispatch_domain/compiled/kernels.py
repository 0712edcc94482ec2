"""What the rest of the domain calls when numba is there; see `acceleration.py`."""

from qdispatch_domain.compiled.arrays import arrays_of
from qdispatch_domain.compiled.candidates import find
from qdispatch_domain.compiled.committing import NO_ROOM, NO_SUCH_POSITION, NOT_OPEN, commit
from qdispatch_domain.compiled.encoding import encode
from qdispatch_domain.compiled.greedy import first_come
from qdispatch_domain.compiled.kilometers import added_kilometers
from qdispatch_domain.compiled.table_arrays import TableArrays

__all__ = [
    "NOT_OPEN",
    "NO_ROOM",
    "NO_SUCH_POSITION",
    "TableArrays",
    "added_kilometers",
    "arrays_of",
    "commit",
    "encode",
    "find",
    "first_come",
]
