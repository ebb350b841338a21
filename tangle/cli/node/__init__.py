"""Commands that run a node or look at one."""
