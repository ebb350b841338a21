"""The `tangle` command: thin over the other rooms, one file per group of commands."""
