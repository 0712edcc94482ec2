"""What numba compiles: the same numbers as the numpy path, faster. Imported only where numba is installed."""
