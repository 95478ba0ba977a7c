"""Text to a unit vector: a static embedding served from its weights alone.

The files are those of a sentence-transformers `StaticEmbedding` (tokenizer.json, model.safetensors), trained
over words, characters and character bigrams; torch is not needed to read them. `surface` is what the
sentence-transformers model has to be given, so that both see the same terms (a parity test holds them together).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import ArtefactError
from ragcomm.records import Text

UNKNOWN = "[UNK]"
Vectors = NDArray[np.float32]


def terms(text: Text) -> list[str]:
    """Words, characters and character bigrams of the normal text, in that order, blanks left out."""
    normal = text.normal
    found = list(text.tokens)
    found += normal
    found += [normal[i : i + 2] for i in range(len(normal) - 1)]
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
        self._rows = {term: row for term, row in vocabulary.items() if term != UNKNOWN}
        self._table = table
        self.dimension = int(table.shape[1])

    @classmethod
    def open(cls, folder: Path) -> StaticEncoder:
        """Reads a saved `StaticEmbedding` module.

        Raises:
            ArtefactError: a file is missing or does not fit the other.
        """
        from safetensors.numpy import load_file

        try:
            tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
            table = load_file(folder / "model.safetensors")["embedding.weight"]
        except (OSError, KeyError, ValueError) as error:
            raise ArtefactError(f"encoder in {folder}: {error}") from error
        return cls(tokenizer["model"]["vocab"], table)

    def encode(self, texts: Sequence[Text]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32; a text without known terms is all zero."""
        get = self._rows.get
        rows: list[int] = []
        counts: list[int] = []
        for text in texts:
            before = len(rows)
            rows += [row for term in terms(text) if (row := get(term)) is not None]
            counts.append(len(rows) - before)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        filled = [i for i, count in enumerate(counts) if count]
        if filled:
            gathered = self._table[rows].astype(np.float32)
            starts = np.cumsum([0, *counts])[:-1][filled]
            vectors[filled] = np.add.reduceat(gathered, starts, axis=0)
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors
