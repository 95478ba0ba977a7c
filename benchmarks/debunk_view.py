"""A claim and its debunk among thousands of articles: the product's reading of texts and its vectors against BM25."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import faq_view, ranking
from ragcomm.assembly import TextParts
from ragcomm.records import Text
from ragcomm.text.encode import StaticEncoder, terms

# An article as passages of about so many characters; sentences stay whole.
_PASSAGE = 100
_SENTENCE_END = re.compile(r"(?<=[。!?！？;；\n])")
# How much the best passage's cosine counts beside the lexical score as a part of the query's best.
_DENSE_SHARE = 0.1


def measure(
    claims: Sequence[str], debunks: Sequence[str], others: Sequence[str], text: TextParts, encoder: StaticEncoder
) -> dict[str, Any]:
    """`debunks[i]` belongs to `claims[i]`, `others` to none."""
    articles = [*debunks, *others]
    read = [text.segmenter.read(article) for article in articles]
    asked = [text.segmenter.read(claim) for claim in claims]
    right = list(range(len(asked)))
    plain = ranking.bm25([*map(ranking.words_and_characters, read)], [*map(ranking.words_and_characters, asked)])
    words = ranking.bm25([article.tokens for article in read], [claim.tokens for claim in asked])
    lexical = ranking.bm25([_marks(article, text) for article in read], [_marks(claim, text) for claim in asked])
    lexical /= np.maximum(lexical.max(1, keepdims=True), 1e-9)
    passages = [[text.segmenter.read(passage) for passage in _passages(article)] for article in articles]
    dense = _dense(passages, asked, encoder)
    found = faq_view.retrieve(passages, asked, text, encoder)
    return {
        "claims": len(asked),
        "articles": len(articles),
        "bm25, words": ranking.report(ranking.ranks(words, right)),
        "bm25, words and characters": ranking.report(ranking.ranks(plain, right)),
        "product, lexical": ranking.report(ranking.ranks(lexical, right)),
        "product, lexical and dense": ranking.report(ranking.ranks(lexical + _DENSE_SHARE * dense, right)),
        "product, index for short wordings": ranking.report(faq_view.ranks(found, found.nearness[:, 0], right)),
    }


def _marks(read: Text, text: TextParts) -> list[str]:
    """The encoder's terms as often as they occur, and what the words stand for: synonyms, types, slots."""
    return [*terms(read), *(mark for mark in text.reader.marks(read) if ":" in mark)]


def _passages(article: str) -> list[str]:
    found = [""]
    for sentence in _SENTENCE_END.split(article):
        if found[-1] and len(found[-1]) + len(sentence) > _PASSAGE:
            found.append("")
        found[-1] += sentence
    return [passage for passage in found if passage.strip()] or [article]


def _dense(passages: Sequence[Sequence[Text]], asked: Sequence[Text], encoder: StaticEncoder) -> NDArray[np.float64]:
    """The cosine with the best passage of every article, shape (claims, articles)."""
    vectors = encoder.encode([passage for own in passages for passage in own])
    heads = np.cumsum([0, *map(len, passages)])[:-1]
    parts = [np.maximum.reduceat(encoder.encode([claim]) @ vectors.T, heads, axis=1) for claim in asked]
    return np.concatenate(parts).astype(np.float64)
