"""The ledger service: HTTP over one node."""

from tangle.extras import needs

needs("node", "the service", "fastapi", "uvicorn")
