"""The tables, as SQLAlchemy Core sees them; migrations create them and a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

messages = Table(
    "messages",
    metadata,
    Column("group_id", String(128), primary_key=True),
    Column("message_id", String(128), primary_key=True),
    Column("member_id", String(128), nullable=False),
    # What was judged; another text under the same id is an edit and is judged again.
    Column("text_sha256", LargeBinary(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("quoted", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("flagged", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("review_id", String(32)),
    # The whole reply as it was sent, so that a repeated message gets the same one.
    Column("response", LargeBinary, nullable=False),
    Index("ix_messages_received_at", "received_at"),
    Index("ix_messages_member_id", "member_id"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("review_id", String(32), primary_key=True),
    Column("group_id", String(128), nullable=False),
    Column("message_id", String(128), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_reviews_state", "state", "opened_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),
    Column("request_sha256", LargeBinary(32), nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("response", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(128), nullable=False),
    # Only the digest: a key is 256 random bits, so one round of SHA-256 cannot be searched.
    Column("secret_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", String(128), nullable=False),
    Column("groups", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)

entry_drafts = Table(
    "entry_drafts",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("entry_id", String(128), primary_key=True),
    # Counts the writings of this draft; a review names the one it is of.
    Column("revision", Integer, nullable=False),
    # The entry as a line of JSON; none where the draft takes the entry away.
    Column("content", LargeBinary),
    Column("author", String(64), nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reviewer", String(64)),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("note", Text, nullable=False),
    CheckConstraint("reviewer IS NULL OR reviewer <> author", name="ck_entry_drafts_second_person"),
)

knowledge_versions = Table(
    "knowledge_versions",
    metadata,
    # 1 and up; 0 are the shipped corpora, which are never copied here.
    Column("version", Integer, primary_key=True, autoincrement=False),
    # The version it was made from.
    Column("base", Integer, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    Column("publisher", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("faq_entries", Integer, nullable=False),
    Column("claims_entries", Integer, nullable=False),
    # All entries as JSON lines, packed; never changed once written.
    Column("faq", LargeBinary, nullable=False),
    Column("claims", LargeBinary, nullable=False),
)

knowledge_moves = Table(
    "knowledge_moves",
    metadata,
    # Only ever added to: the last row names the version in use.
    Column("sequence", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("moved_by", String(64), nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False),
)

# Questions of `messages` that got no answer, one row a text; whose text it was and how it ran stays in `messages`.
unanswered = Table(
    "unanswered",
    metadata,
    Column("question_id", String(32), primary_key=True),
    Column("group_id", String(128), nullable=False),
    Column("message_id", String(128), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("entry_id", String(128)),
    Column("confidence", Float, nullable=False),
    # The gap as which it was resolved; open while there is none.
    Column("gap_id", String(32)),
    Index("ix_unanswered_message", "group_id", "message_id"),
    Index("ix_unanswered_open", "gap_id", "asked_at"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap_id", String(32), primary_key=True),
    Column("resolved_as", String(16), nullable=False),
    Column("entry_id", String(128)),
    Column("key_id", String(32), nullable=False),
    Column("resolved_at", DateTime(timezone=True), nullable=False),
    # What the moderator was answered, so that a repeated call gets the same.
    Column("response", LargeBinary, nullable=False),
)

# Wordings of resolved gaps by digest: who asks in the same words again does not open the gap again.
settled = Table(
    "settled",
    metadata,
    Column("group_id", String(128), primary_key=True),
    Column("wording_sha256", LargeBinary(32), primary_key=True),
    Column("gap_id", String(32), nullable=False),
)

# How far a reader of `messages` has come.
progress = Table(
    "progress",
    metadata,
    Column("reader", String(32), primary_key=True),
    Column("reached_at", DateTime(timezone=True), nullable=False),
)

# Which text of which entry a group has read under which message.
postings = Table(
    "postings",
    metadata,
    Column("group_id", String(128), primary_key=True),
    Column("message_id", String(128), primary_key=True),
    Column("entry_id", String(128), primary_key=True),
    Column("text_sha256", LargeBinary(32), nullable=False),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    # The newest text they were told of since, if any.
    Column("told_sha256", LargeBinary(32)),
    Column("told_at", DateTime(timezone=True)),
    Index("ix_postings_entry_id", "entry_id", "posted_at"),
    Index("ix_postings_posted_at", "posted_at"),
)
