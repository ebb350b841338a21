"""Seals: a checksum per commit. What an earlier version wrote gets one seal, as it is found now."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from alembic import op
from tangle.store.seals import MODULUS, row_sum

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBERED = ("blocks", "referenced", "milestones", "crossings")


def upgrade() -> None:
    op.create_table(
        "seals",
        sa.Column("number", COUNTER, autoincrement=False, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_seals"),
    )
    connection = op.get_bind()
    network = connection.execute(
        sa.text("SELECT id, name, parameters, milestone_keys, threshold, created_at FROM network")
    ).one_or_none()
    if network is None:
        return
    total, newest = row_sum([one.encode() if isinstance(one, str) else one for one in network]), 0
    keep(connection, 0, total)
    for name in NUMBERED:
        rows: sa.Result[Any] = connection.execute(sa.select(sa.literal_column("*")).select_from(sa.table(name)))
        for row in rows:
            total = (total + row_sum(row)) % MODULUS
            newest = max(newest, row.number)
    if newest:
        keep(connection, newest, total)


def keep(connection: sa.Connection, number: int, total: int) -> None:
    connection.execute(
        sa.text("INSERT INTO seals (number, total) VALUES (:number, :total)"), {"number": number, "total": total}
    )


def downgrade() -> None:
    op.drop_table("seals")
