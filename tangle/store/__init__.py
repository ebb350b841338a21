"""All SQL: engine, tables, journal, queries. The URL decides which database."""
