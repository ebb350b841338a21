"""Inputs that nobody would send on purpose, made from some that somebody would."""
