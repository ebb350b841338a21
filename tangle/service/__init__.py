"""The running node, without HTTP."""

from tangle.extras import needs

needs("node", "a node", "numba", "pydantic_settings", "sqlalchemy")
