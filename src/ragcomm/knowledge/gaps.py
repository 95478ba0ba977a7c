"""What members ask and no entry answers: unanswered questions in clusters, those that most people ask first.

Every number here depends on the two questions compared and on nothing else, so that what once belonged together still
does when others have joined.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.overlap import Ids, Numbers, Reader, kind_of
from ragcomm.records import Gap, Text, Unanswered
from ragcomm.text.encode import StaticEncoder, Vectors
from ragcomm.text.segment import Segmenter

# How much of the similarity is the cosine of the vectors; the rest is the cosine of the words both say, so that two
# questions need not only be near in meaning. (On those dev questions the vectors alone do about as well.)
DENSE_SHARE = 0.8
# From here on two questions ask for the same. Chosen on 1,530 dev questions (by other hands, held-out wordings, near
# misses) as the setting nearest to a B-cubed precision of .95: .951, recall .554. Most stay alone there, which counts
# as right; of the company the others find, .56 asks for the same (.68 at .55, with half as many in company).
TOGETHER = 0.5
# The newest are looked at; all pairs of so many fit into 16 MB and are compared in 0.2 to 0.4 s.
MOST_QUESTIONS = 2000
_SAYS_NOTHING = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Described:
    """What questions are compared by: their bare wording, their words, and their unit vectors as rows."""

    wordings: Sequence[str]
    words: Sequence[Sequence[str]]
    vectors: Vectors


def describe(raws: Sequence[str], segmenter: Segmenter, reader: Reader, encoder: StaticEncoder) -> Described:
    """Reads questions as they are compared."""
    texts = [segmenter.read(raw) for raw in raws]
    # Pairs of characters, the first kind of mark, are in the vectors already.
    words = [[mark for mark in reader.marks(text) if kind_of(mark)] for text in texts]
    return Described([_bare(text) for text in texts], words, encoder.encode(texts))


def _bare(text: Text) -> str:
    """The normal text without blanks and punctuation: what is the same to a reader is the same here."""
    return _SAYS_NOTHING.sub("", text.normal) or text.normal


def find(questions: Sequence[Unanswered], described: Described) -> list[Gap]:
    """The gaps behind some questions, whatever their order: those of the most askers first.

    `described` holds the questions in the order of `questions`.
    """
    order = sorted(range(len(questions)), key=lambda place: (questions[place].asked_at, questions[place].id))
    alike: dict[str, list[int]] = defaultdict(list)
    for place in order:
        alike[described.wordings[place]].append(place)
    groups = list(alike.values())
    heads = [group[0] for group in groups]
    near = similarity([described.words[head] for head in heads], described.vectors[heads])
    sizes = np.array([len(group) for group in groups], np.float32)
    gaps = [_gap([[questions[p] for p in groups[m]] for m in members]) for members in clusters(near, sizes)]
    return sorted(gaps, key=lambda gap: (-gap.askers, -len(gap.questions), -gap.last_seen.timestamp(), gap.id))


def similarity(words: Sequence[Sequence[str]], vectors: Vectors) -> Numbers:
    """Every question against every other, shape (questions, questions), in [-1, 1], higher is closer.

    The weighted sum of two cosines: of the vectors, and of the sets of words.
    """
    result: Numbers = DENSE_SHARE * (vectors @ vectors.T) + (1 - DENSE_SHARE) * _shared(words)
    return result


def _shared(words: Sequence[Sequence[str]]) -> Numbers:
    """Words in common over the geometric mean of how many either has; zero where one has none."""
    often = Counter(word for own in words for word in set(own))
    # A word that only one question says is never shared.
    columns = {word: place for place, word in enumerate(w for w, n in often.items() if n > 1)}
    said = np.zeros((len(words), len(columns)), np.float32)
    for row, own in zip(said, words, strict=True):
        row[[columns[word] for word in own if word in columns]] = 1
    sizes = np.sqrt(np.array([max(1, len(set(own))) for own in words], np.float32))
    result: Numbers = (said @ said.T) / np.outer(sizes, sizes)
    return result


def clusters(near: Numbers, sizes: Numbers) -> Iterator[Ids]:
    """Takes the question with the most neighbours together with them, then the next of what is left.

    Nothing is chained: whoever is in a cluster is near to the one it was built around. `sizes` is how often each
    wording was asked. Yields places, the most central first. (Daura et al., Angew. Chem. Int. Ed. 38, 236, 1999.)
    """
    close: NDArray[np.bool_] = near >= TOGETHER
    np.fill_diagonal(close, True)
    left = np.ones(len(near), bool)
    counts = close.sum(axis=1)
    while left.any():
        # Of equals the first asked.
        centre = int(np.argmax(np.where(left, counts, -1)))
        members = np.flatnonzero(close[centre] & left)
        left[members] = False
        counts -= close[:, members].sum(axis=1)
        central = near[np.ix_(members, members)] @ sizes[members]
        yield members[np.argsort(-central, kind="stable")]


def _gap(groups: Sequence[Sequence[Unanswered]]) -> Gap:
    """The gap of some wordings, each with the questions that were put so."""
    questions = tuple(question for group in groups for question in group)
    first = min(questions, key=lambda q: (q.asked_at, q.id))
    entry_id, confidence = _nearest(questions)
    return Gap(
        id=first.id,
        wordings=tuple(group[0].text.strip() for group in groups),
        questions=questions,
        # Whoever did not say who they are counts as one person in a group.
        askers=len({q.member_id or f"\0{q.group_id}" for q in questions}),
        entry_id=entry_id,
        confidence=confidence,
        first_seen=first.asked_at,
        last_seen=max(q.asked_at for q in questions),
    )


def _nearest(questions: Sequence[Unanswered]) -> tuple[str | None, float]:
    """The entry that the questions together come nearest to, and the highest confidence any has in it."""
    votes: dict[str, list[float]] = defaultdict(list)
    for question in questions:
        if question.silence.entry_id is not None:
            votes[question.silence.entry_id].append(question.silence.confidence)
    if not votes:
        return None, 0.0
    entry_id = max(sorted(votes), key=lambda name: sum(votes[name]))
    return entry_id, max(votes[entry_id])
