"""From stored messages to gaps: what the routes ask for, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress

from ragcomm.errors import UnknownGap
from ragcomm.records import Gap, Unanswered
from ragcomm.storage.gaps import GapStore, Resolution
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.unanswered import UnansweredQuestions
from ragcomm_api.judge import Description, Judge


@dataclass(frozen=True, slots=True)
class _Seen:
    """The gaps of some groups, and the bare wording of each question in them by its id."""

    gaps: list[Gap]
    wordings: dict[str, str]


class Gaps:
    """Finds gaps and notes what becomes of them."""

    def __init__(self, judge: Judge, questions: UnansweredQuestions, store: GapStore) -> None:
        self._judge, self._questions, self._store = judge, questions, store
        # Two who look at once would read the same messages twice.
        self._looking = asyncio.Lock()

    async def find(self, groups: Collection[str]) -> list[Gap]:
        """The gaps of some groups (of all if none is named), those of the most askers first.

        Raises:
            Unavailable: the judge is not there.
        """
        return (await self._find(groups)).gaps

    async def earlier(self, resolution: Resolution, promise: Idempotent | None) -> bytes | None:
        """What this decision was answered before, if it was (see `GapStore.earlier`)."""
        return await asyncio.to_thread(self._store.earlier, resolution, promise)

    async def pick(self, gap_id: str, groups: Collection[str]) -> tuple[Gap, list[str]]:
        """The gap that holds the question of this id now, and the bare wordings of its questions.

        Raises:
            UnknownGap: there is none in these groups.
        """
        seen = await self._find(groups)
        for gap in seen.gaps:
            if any(question.id == gap_id for question in gap.questions):
                return gap, [seen.wordings[question.id] for question in gap.questions]
        raise UnknownGap(f"no open gap {gap_id!r}")

    async def resolve(
        self,
        resolution: Resolution,
        questions: Sequence[Unanswered],
        wordings: Sequence[str],
        response: bytes,
        *,
        now: datetime,
        promise: Idempotent | None,
    ) -> bytes:
        """Closes a gap (see `GapStore.resolve`)."""
        return await asyncio.to_thread(
            self._store.resolve, resolution, questions, wordings, response, now=now, promise=promise
        )

    async def _find(self, groups: Collection[str]) -> _Seen:
        async with self._looking:
            questions = await asyncio.to_thread(self._open, groups)
            described = await self._judge.describe([question.text for question in questions])
            return await asyncio.to_thread(self._gather, questions, described)

    def _open(self, groups: Collection[str]) -> list[Unanswered]:
        from ragcomm.knowledge.gaps import MOST_QUESTIONS

        self._questions.collect()
        return self._questions.open(groups, MOST_QUESTIONS)

    def _gather(self, questions: list[Unanswered], described: Description) -> _Seen:
        if not questions:
            return _Seen([], {})
        # NumPy is loaded with the first look: who only judges messages does without its 15 MB in this process.
        import numpy as np

        from ragcomm.knowledge.gaps import Described, find

        closed = self._questions.settle(questions, described.wordings)
        left = [not was for was in closed]
        wordings = list(compress(described.wordings, left))
        kept = list(compress(questions, left))
        vectors = np.frombuffer(described.vectors, np.float32).reshape(len(questions), -1)[np.array(left, bool)]
        found = find(kept, Described(wordings, list(compress(described.words, left)), vectors))
        return _Seen(found, dict(zip([question.id for question in kept], wordings, strict=True)))
