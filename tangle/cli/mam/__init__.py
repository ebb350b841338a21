"""`tangle mam`."""
