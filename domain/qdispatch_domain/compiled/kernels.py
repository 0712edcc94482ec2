"""What the rest of the domain calls when numba is there; see `acceleration.py`."""

from qdispatch_domain.compiled.arrays import arrays_of
from qdispatch_domain.compiled.candidates import find
from qdispatch_domain.compiled.encoding import TableArrays, encode

__all__ = ["TableArrays", "arrays_of", "encode", "find"]
