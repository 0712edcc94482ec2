"""Measurements of this machine; `make bench` runs them and writes docs/benchmarks."""
