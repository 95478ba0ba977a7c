"""The yardsticks of retrieval: BM25 and TF-IDF over one text an entry, and how to count hits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from ragcomm.evaluation.metrics import reciprocal_rank, wilson_interval
from ragcomm.records import Text

# Robertson and Zaragoza (2009); the values most engines come with.
_SATURATION, _LENGTH = 1.2, 0.75
# Ranks beyond this count as not found.
MOST = 10


def bm25(documents: Sequence[Sequence[str]], queries: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Scores of Okapi BM25, shape (queries, documents); both are given as terms."""
    number = {term: i for i, term in enumerate(sorted({t for document in documents for t in document}))}
    counted = [Counter(document) for document in documents]
    lengths = np.array([len(document) for document in documents], float)
    damped = _SATURATION * (1 - _LENGTH + _LENGTH * lengths / lengths.mean())
    having = Counter(term for counts in counted for term in counts)
    rows, columns, weights = [], [], []
    for row, counts in enumerate(counted):
        for term, often in counts.items():
            rarity = log(1 + (len(documents) - having[term] + 0.5) / (having[term] + 0.5))
            rows.append(row)
            columns.append(number[term])
            weights.append(rarity * often * (_SATURATION + 1) / (often + damped[row]))
    index = csr_matrix((weights, (rows, columns)), (len(documents), len(number)))
    asked = [[number[term] for term in query if term in number] for query in queries]
    starts = np.cumsum([0, *map(len, asked)])
    ids = np.array([i for own in asked for i in own], np.int64)
    product = csr_matrix((np.ones(len(ids)), ids, starts), (len(queries), len(number))) @ index.T
    scores: NDArray[np.float64] = product.toarray()
    return scores


def tfidf(documents: Sequence[str], queries: Sequence[str]) -> NDArray[np.float64]:
    """Cosines of TF-IDF over characters and their pairs and triples, shape (queries, documents)."""
    weigh = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    index = weigh.fit_transform(documents)
    scores: NDArray[np.float64] = (weigh.transform(queries) @ index.T).toarray()
    return scores


def words_and_characters(text: Text) -> list[str]:
    """Words, and the characters of longer ones: what BM25 needs to do well on short Chinese."""
    return [*text.tokens, *(c for token in text.tokens if len(token) > 1 for c in token)]


def ranks(scores: NDArray[np.float64], right: Sequence[int]) -> list[int]:
    """The rank of each query's document; of equally good ones the first comes first."""
    own = scores[np.arange(len(right)), right][:, None]
    earlier = np.arange(scores.shape[1]) < np.asarray(right)[:, None]
    found: list[int] = (1 + (scores > own).sum(1) + ((scores == own) & earlier).sum(1)).tolist()
    return found


def report(found: Sequence[int]) -> dict[str, Any]:
    """Hits at the first place with their interval, among three and ten, and the mean reciprocal rank."""
    hits = sum(rank == 1 for rank in found)
    return {
        "hit@1": hits / len(found),
        "hit@1_95%": wilson_interval(hits, len(found)),
        "hit@3": sum(0 < rank <= 3 for rank in found) / len(found),
        "hit@10": sum(0 < rank <= MOST for rank in found) / len(found),
        "mrr@10": float(np.mean([reciprocal_rank(rank, MOST) for rank in found])),
    }
