"""The running node, without HTTP."""
