"""`tangle sim`."""
