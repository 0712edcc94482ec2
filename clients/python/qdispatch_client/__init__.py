"""Typed client of the QDispatch server."""
