"""Text to a unit vector: a static embedding served from its weights alone.

The files are those of a sentence-transformers `StaticEmbedding` (tokenizer.json, model.safetensors), trained
over words, characters and character bigrams; torch is not needed to read them. `surface` is what the
sentence-transformers model has to be given, so that both see the same terms (a parity test holds them together).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import sqrt
from operator import add
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import ArtefactError
from ragcomm.records import Text
from ragcomm.text.grams import GramIndex, gram_codes

UNKNOWN = "[UNK]"
Vectors = NDArray[np.float32]


def terms(text: Text) -> list[str]:
    """Words, characters and character bigrams of the normal text, in that order, blanks left out."""
    normal = text.normal
    found = [*text.tokens, *normal, *map(add, normal, normal[1:])]
    return [term for term in found if " " not in term]


def surface(text: Text) -> str:
    """The terms as one string with blanks between them: the input of the trained model's tokenizer."""
    return " ".join(terms(text))


class StaticEncoder:
    """Sums the vectors of a text's terms and scales the sum to length one."""

    def __init__(self, vocabulary: dict[str, int], table: NDArray[np.float16]) -> None:
        """`table` has one row a term, any scale; row of an unknown term: none, it counts nothing."""
        if len(vocabulary) != len(table):
            raise ArtefactError(f"encoder: {len(vocabulary)} terms for {len(table)} rows")
        self._words = {term: row for term, row in vocabulary.items() if term != UNKNOWN}
        short = [term for term in self._words if len(term) <= _LONGEST_GRAM]
        self._grams = GramIndex(short)
        self._gram_rows = np.array([self._words[term] for term in short], np.int64)
        # A byte a number, scaled by the row's largest: a quarter of the memory to fetch, twice as fast as single
        # precision; half precision would have to be unpacked number by number.
        rows = table.astype(np.float32)
        self._scales = np.maximum(np.abs(rows).max(axis=1, initial=0.0), _TINY) / 127
        self._table = np.rint(rows / self._scales[:, None]).astype(np.int8)
        self.dimension = int(table.shape[1])

    @classmethod
    def open(cls, folder: Path) -> StaticEncoder:
        """Reads a saved `StaticEmbedding` module.

        Raises:
            ArtefactError: a file is missing or does not fit the other.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
            table = load_file(folder / "model.safetensors")["embedding.weight"]
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise ArtefactError(f"encoder in {folder}: {error}") from error
        return cls(tokenizer["model"]["vocab"], table)

    def encode(self, texts: Sequence[Text]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32; a text without known terms is all zero."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        rows, ends = self._rows(texts)
        start = 0
        for vector, end in zip(vectors, ends, strict=True):
            if end > start:
                # The product with the scales sums the rows.
                own = rows[start:end]
                np.dot(self._scales.take(own), self._table.take(own, 0).astype(np.float32), out=vector)
                vector /= sqrt(vector.dot(vector)) or 1.0
                start = end
        return vectors

    def _rows(self, texts: Sequence[Text]) -> tuple[NDArray[np.int64], list[int]]:
        """The table's row of every known term, as often as it occurs, text after text, and where each text ends."""
        words = [[row for row in map(self._words.get, text.tokens) if row is not None] for text in texts]
        # NUL between the texts: no term reaches over it.
        starts, places, _ = self._grams.find(gram_codes("\0".join([text.normal for text in texts])))
        borders = np.cumsum([len(text.normal) + 1 for text in texts])
        owners = np.concatenate(
            [np.repeat(np.arange(len(texts)), list(map(len, words))), np.searchsorted(borders, starts, side="right")]
        )
        rows = np.concatenate([np.array([row for own in words for row in own], np.int64), self._gram_rows[places]])
        ends: list[int] = np.cumsum(np.bincount(owners, minlength=len(texts))).tolist()
        return rows[np.argsort(owners, kind="stable")], ends


_LONGEST_GRAM = 2
_TINY = np.float32(1e-9)
