"""All SQL: engine, tables, journal, queries. The URL decides which database."""

from tangle.extras import needs

needs("node", "a node's database", "sqlalchemy", "alembic")
