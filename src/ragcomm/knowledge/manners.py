"""When a found answer is kept back all the same: it stands there already, a person was faster, or it comes too late.

Pure and in memory: whoever calls says what time it is, and tells what is heard and posted. Help in an emergency never
passes through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from ragcomm.records import Message

Value = TypeVar("Value")


class Reason(StrEnum):
    """Why an answer is kept back."""

    COOLDOWN = "cooldown"
    ANSWERED = "answered"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Withheld:
    """An answer that is kept back; `message_id` is the question under which the same entry stands already."""

    reason: Reason
    entry_id: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How long an entry rests in a group, and how old a question may be when its answer goes out, in seconds.

    Zero turns a rule off. The second is also how long a person's reply to a question is remembered.
    """

    cooldown_s: float = 600.0
    lateness_s: float = 300.0


class Manners:
    """What has been posted and answered lately, and what may therefore be posted now."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        # The question under which an entry was posted to a group.
        self._posted: _Recent[str] = _Recent(rules.cooldown_s)
        # Who replied to a message of a group: one who did and, because that may be the asker, one more.
        self._replied: _Recent[tuple[str, ...]] = _Recent(rules.lateness_s)

    def hear(self, message: Message, now_s: float) -> None:
        """Notes a person's reply; `now_s` is UNIX time in seconds, here as everywhere below."""
        if message.reply_to and self._rules.lateness_s:
            key = (message.group_id, message.reply_to)
            before = self._replied.get(key, now_s) or ()
            if message.member_id not in before and len(before) < 2:
                self._replied.put(key, (*before, message.member_id), now_s)

    def post(self, message: Message, entry_id: str, now_s: float) -> Withheld | None:
        """Whether an entry may be posted under a question; if it may (None), it counts as posted from now on."""
        if self._is_late(message, now_s):
            return Withheld(Reason.LATE, entry_id)
        if self._is_answered(message, now_s):
            return Withheld(Reason.ANSWERED, entry_id)
        standing = self._posted.get((message.group_id, entry_id), now_s)
        if standing is not None:
            return Withheld(Reason.COOLDOWN, entry_id, standing)
        self.remember(message.group_id, entry_id, message.id, now_s)
        return None

    def remember(self, group_id: str, entry_id: str, message_id: str, posted_s: float) -> None:
        """Notes that an entry was posted; earlier postings have to be told before later ones."""
        if self._rules.cooldown_s:
            self._posted.put((group_id, entry_id), message_id, posted_s)

    def take_back(self, group_id: str, entry_id: str, message_id: str) -> None:
        """The posting under this question never went out."""
        self._posted.drop((group_id, entry_id), message_id)

    def _is_late(self, message: Message, now_s: float) -> bool:
        if message.sent_at is None or not self._rules.lateness_s:
            return False
        return now_s - message.sent_at.timestamp() > self._rules.lateness_s

    def _is_answered(self, message: Message, now_s: float) -> bool:
        """Whether somebody else replied; who gives no name may be anybody, and silence is the safer side."""
        replied = self._replied.get((message.group_id, message.id), now_s) or ()
        return any(not member or member != message.member_id for member in replied)


class _Recent(Generic[Value]):
    """Values by two names that are forgotten after a while; every step costs the same, however many there are."""

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._values: dict[tuple[str, str], tuple[float, Value]] = {}

    def get(self, key: tuple[str, str], now_s: float) -> Value | None:
        found = self._values.get(key)
        return found[1] if found is not None and now_s - found[0] < self._kept_s else None

    def put(self, key: tuple[str, str], value: Value, now_s: float) -> None:
        # The newest is last, so that what may be forgotten is first.
        self._values.pop(key, None)
        self._values[key] = (now_s, value)
        # Two for every one that comes: what is forgotten never piles up.
        for _ in range(2):
            oldest = next(iter(self._values))
            if now_s - self._values[oldest][0] < self._kept_s:
                break
            del self._values[oldest]

    def drop(self, key: tuple[str, str], value: Value) -> None:
        if key in self._values and self._values[key][1] == value:
            del self._values[key]

    def __len__(self) -> int:
        return len(self._values)
