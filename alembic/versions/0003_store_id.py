"""The journal's own id, which event numbers and cursors name: positions of another journal mean nothing in it."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op
from tangle.store.seals import new_store_id

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("network", sa.Column("store_id", sa.String(32), nullable=False, server_default=""))
    made = new_store_id()
    op.execute(sa.text("UPDATE network SET store_id = :made").bindparams(made=made))


def downgrade() -> None:
    op.drop_column("network", "store_id")
