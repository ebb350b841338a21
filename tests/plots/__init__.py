"""Figures of the documentation, made by the project's own code."""
