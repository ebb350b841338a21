"""Benchmarks: each module has ``run(small)``, which returns the rows of a table."""
