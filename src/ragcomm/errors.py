"""Every error the library raises. The docstring of a class is its default message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class RagcommError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class InvalidInput(RagcommError):
    """The input is not what was expected."""

    def __init__(self, *, seen: str, expected: str, where: str) -> None:
        self.seen, self.expected, self.where = seen, expected, where
        super().__init__(f"{where}: saw {seen}, expected {expected}")


class CorpusError(InvalidInput):
    """A corpus file has a line that cannot be used."""


class ArtefactError(RagcommError):
    """A model on disk is missing, damaged, or made for another text pipeline."""


class MissingExtra(RagcommError):
    """This command needs packages of an optional extra."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f"this command needs the package {package!r}: install ragcomm[{extra}]")


class QueueFull(RagcommError):
    """The write queue is full; try again later."""

    retry_after_s = 1


class Unavailable(RagcommError):
    """The judge is being started; try again in a moment. Nothing was stored."""

    retry_after_s = 2


class WriteFailed(RagcommError):
    """The database refused the write; nothing was stored."""


class IdempotencyConflict(RagcommError):
    """This Idempotency-Key was already used with another request body."""


class UnknownKey(RagcommError):
    """No such API key."""


class UnknownEntry(RagcommError):
    """No such entry, draft or version."""


class Stale(RagcommError):
    """What this stands on has been changed by somebody else meanwhile; look again."""


class SamePerson(RagcommError):
    """Whoever wrote a draft cannot review it; it takes a second person."""


class Refused(RagcommError):
    """This cannot be published as it is."""

    def __init__(self, message: str, reasons: Sequence[Mapping[str, str]] = ()) -> None:
        self.reasons = [dict(reason) for reason in reasons]
        super().__init__(message)


class UnknownGap(RagcommError):
    """No such gap: it was resolved, or its questions are gone."""


class Conflict(RagcommError):
    """Somebody else was faster, and did something else."""
