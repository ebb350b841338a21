"""Commands for blocks, tagged data and slices of the Tangle."""
