"""Outputs of every type: what alias, foundry and NFT outputs and all unlock conditions are searched by.

The outputs of revision 0001 are basic ones with nothing but an address, a sender and a tag: for them the new
columns are empty, which is what they have by default. The indexes of unspent outputs are built anew, with the
output type behind what is searched.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS: tuple[tuple[str, type[sa.LargeBinary | sa.BigInteger]], ...] = (
    ("governor", sa.LargeBinary),
    ("issuer", sa.LargeBinary),
    ("return_address", sa.LargeBinary),
    ("timelock", sa.BigInteger),
    ("expiration", sa.BigInteger),
    ("expiration_address", sa.LargeBinary),
    ("chain_id", sa.LargeBinary),
)
BEFORE = (
    "ix_outputs_unspent",
    "ix_outputs_unspent_address",
    "ix_outputs_unspent_sender",
    "ix_outputs_unspent_tag",
)
EQUAL = ("sender", "tag", "governor", "issuer", "return_address", "expiration_address", "chain_id")
PRESENT = ("return_address", "timelock", "expiration")
UNSPENT = "spent_index IS NULL"


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("outputs", sa.Column(name, kind()))
    op.add_column("outputs", sa.Column("native_tokens", sa.Integer(), nullable=False, server_default="0"))
    for name in BEFORE:
        op.drop_index(name, "outputs")
    order = ["output_type", "created_index", "output_id"]
    unspent_index("", [*order, "amount"])
    unspent_index("_address", ["address", *order])
    for name in EQUAL:
        unspent_index(f"_{name}", [name, *order], f"{name} IS NOT NULL")
    for name in PRESENT:
        unspent_index(f"_has_{name}", [*order, name], f"{name} IS NOT NULL")
    unspent_index("_has_native_tokens", [*order, "native_tokens"], "native_tokens > 0")


def unspent_index(suffix: str, columns: list[str], condition: str | None = None) -> None:
    where = sa.text(f"{UNSPENT} AND {condition}" if condition else UNSPENT)
    op.create_index(f"ix_outputs_unspent{suffix}", "outputs", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    names = ["", "_address", *(f"_{name}" for name in EQUAL)]
    names += [f"_has_{name}" for name in (*PRESENT, "native_tokens")]
    for name in names:
        op.drop_index(f"ix_outputs_unspent{name}", "outputs")
    for name, _ in COLUMNS:
        op.drop_column("outputs", name)
    op.drop_column("outputs", "native_tokens")
    order = ["created_index", "output_id"]
    unspent_index("", [*order, "amount"])
    unspent_index("_address", ["address", *order])
    for name in ("sender", "tag"):
        unspent_index(f"_{name}", [name, *order], f"{name} IS NOT NULL")
