"""The journal: network, blocks, what milestones made of them, outputs, confidence crossings."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite makes a primary key the table's own order only when its type is spelt INTEGER.
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "network",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.Column("milestone_keys", sa.LargeBinary(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_network"),
        sa.CheckConstraint("id = 1", name=op.f("ck_network_one_row")),
    )
    op.create_table(
        "blocks",
        sa.Column("number", COUNTER, autoincrement=False, nullable=False),
        sa.Column("block_id", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("payload_type", sa.BigInteger()),
        sa.Column("tag", sa.LargeBinary()),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_blocks"),
        sa.UniqueConstraint("block_id", name="uq_blocks_block_id"),
    )
    partial_index("ix_blocks_tag", "blocks", ["tag", "number"], "tag IS NOT NULL")
    create_settlement()
    create_outputs()


def create_settlement() -> None:
    op.create_table(
        "referenced",
        sa.Column("number", COUNTER, autoincrement=False, nullable=False),
        sa.Column("block_number", COUNTER, nullable=False),
        sa.Column("milestone_index", sa.BigInteger(), nullable=False),
        sa.Column("inclusion", sa.Integer(), nullable=False),
        sa.Column("conflict_reason", sa.Integer()),
        sa.PrimaryKeyConstraint("number", name="pk_referenced"),
        sa.ForeignKeyConstraint(["block_number"], ["blocks.number"], name="fk_referenced_block_number"),
        sa.UniqueConstraint("block_number", name="uq_referenced_block_number"),
    )
    op.create_index("ix_referenced_milestone", "referenced", ["milestone_index", "number"])
    op.create_table(
        "milestones",
        sa.Column("index", COUNTER, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("milestone_id", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", COUNTER, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_milestones"),
        sa.ForeignKeyConstraint(["block_number"], ["blocks.number"], name="fk_milestones_block_number"),
        sa.UniqueConstraint("block_number", name="uq_milestones_block_number"),
        sa.UniqueConstraint("milestone_id", name="uq_milestones_milestone_id"),
        sa.UniqueConstraint("number", name="uq_milestones_number"),
    )
    op.create_index("ix_milestones_timestamp", "milestones", ["timestamp", "index"])
    op.create_table(
        "crossings",
        sa.Column("number", COUNTER, autoincrement=False, nullable=False),
        sa.Column("block_number", COUNTER, nullable=False),
        sa.Column("threshold_permille", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("walks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_crossings"),
        sa.ForeignKeyConstraint(["block_number"], ["blocks.number"], name="fk_crossings_block_number"),
    )


def create_outputs() -> None:
    op.create_table(
        "transactions",
        sa.Column("transaction_id", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", COUNTER, nullable=False),
        sa.Column("milestone_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name="pk_transactions"),
        sa.ForeignKeyConstraint(["block_number"], ["blocks.number"], name="fk_transactions_block_number"),
    )
    op.create_table(
        "outputs",
        sa.Column("output_id", sa.LargeBinary(), nullable=False),
        sa.Column("block_id", sa.LargeBinary(), nullable=False),
        sa.Column("output_type", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.LargeBinary()),
        sa.Column("tag", sa.LargeBinary()),
        sa.Column("created_index", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_index", sa.BigInteger()),
        sa.Column("spent_at", sa.BigInteger()),
        sa.Column("spent_by", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("output_id", name="pk_outputs"),
    )
    op.create_table(
        "movements",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transaction_id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("address", "number", name="pk_movements"),
    )
    order, unspent = ["created_index", "output_id"], "spent_index IS NULL"
    op.create_index("ix_outputs_created", "outputs", order)
    partial_index("ix_outputs_spent", "outputs", ["spent_index", "output_id"], "spent_index IS NOT NULL")
    partial_index("ix_outputs_unspent", "outputs", [*order, "amount"], unspent)
    partial_index("ix_outputs_unspent_address", "outputs", ["address", *order], unspent)
    for name in ("sender", "tag"):
        partial_index(f"ix_outputs_unspent_{name}", "outputs", [name, *order], f"{unspent} AND {name} IS NOT NULL")


def partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for table in (
        "movements",
        "outputs",
        "transactions",
        "crossings",
        "milestones",
        "referenced",
        "blocks",
        "network",
    ):
        op.drop_table(table)
