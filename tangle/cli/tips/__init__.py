"""`tangle tips`."""
