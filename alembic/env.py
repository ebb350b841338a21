"""Runs the migrations: on the connection that `tangle.store.engine.migrate` hands over, or from the command line.

From the command line: ``alembic -x url=sqlite:///node.db upgrade head``. Logging is left as the program set it.
"""

from __future__ import annotations

from sqlalchemy import Connection

from alembic import context
from tangle.store.engine import open_engine, writing
from tangle.store.tables import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not isinstance(url, str):
        raise SystemExit("say which database: alembic -x url=sqlite:///path/to/node.db …")
    with writing(open_engine(url)) as connection:
        run(connection)
