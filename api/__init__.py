"""The ledger service: HTTP over one node."""
