"""Which text of an entry somebody has read: its name is the digest of what members see of it."""

from __future__ import annotations

import hashlib

from ragcomm.records import Entry

# An entry that was withdrawn says nothing any more; that is news, too, for whoever read it.
WITHDRAWN = ""


def posted_text(entry: Entry) -> str:
    """What members read of an entry, without heading and disclaimer."""
    return f"{entry.answer}{entry.instead}"


def text_sha256(text: str) -> bytes:
    """The digest of a posted text, 32 bytes."""
    return hashlib.sha256(text.encode()).digest()
