"""Simulator, learning and evaluation of the dispatch policy."""
