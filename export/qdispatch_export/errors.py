"""Why an export stops. Nothing is left behind: the bundle is renamed into place only at the very end."""

from __future__ import annotations


class ExportError(Exception):
    """The bundle cannot be made from this checkpoint; the text says why, for a person."""
