"""What the rest of the domain calls when numba is there; see `acceleration.py`."""

from qdispatch_domain.compiled.arrays import arrays_of
from qdispatch_domain.compiled.candidates import find

__all__ = ["arrays_of", "find"]
