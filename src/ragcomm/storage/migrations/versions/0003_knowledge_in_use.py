"""Unanswered questions, what became of them, and which answer was posted where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unanswered",
        sa.Column("question_id", sa.String(32), primary_key=True),
        sa.Column("group_id", sa.String(128), nullable=False),
        sa.Column("message_id", sa.String(128), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("entry_id", sa.String(128)),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("gap_id", sa.String(32)),
    )
    op.create_index("ix_unanswered_message", "unanswered", ["group_id", "message_id"])
    op.create_index("ix_unanswered_open", "unanswered", ["gap_id", "asked_at"])
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.String(32), primary_key=True),
        sa.Column("resolved_as", sa.String(16), nullable=False),
        sa.Column("entry_id", sa.String(128)),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "settled",
        sa.Column("group_id", sa.String(128), primary_key=True),
        sa.Column("wording_sha256", sa.LargeBinary(32), primary_key=True),
        sa.Column("gap_id", sa.String(32), nullable=False),
    )
    op.create_table(
        "progress",
        sa.Column("reader", sa.String(32), primary_key=True),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "postings",
        sa.Column("group_id", sa.String(128), primary_key=True),
        sa.Column("message_id", sa.String(128), primary_key=True),
        sa.Column("entry_id", sa.String(128), primary_key=True),
        sa.Column("text_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_sha256", sa.LargeBinary(32)),
        sa.Column("told_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_postings_entry_id", "postings", ["entry_id", "posted_at"])
    op.create_index("ix_postings_posted_at", "postings", ["posted_at"])


def downgrade() -> None:
    for table in ("postings", "progress", "settled", "gaps", "unanswered"):
        op.drop_table(table)
