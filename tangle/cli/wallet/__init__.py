"""`tangle wallet`."""
