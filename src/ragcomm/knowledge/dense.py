"""Dense similarity: inner products of unit vectors in a FAISS index.

Scores are cosines in [-1, 1], higher is closer. (FAISS pads missing neighbours with place -1.)
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ragcomm.text.encode import Vectors

# The service answers many messages at once; a search that takes all cores would stall its neighbours.
faiss.omp_set_num_threads(1)

# From here on a flat search is read from far memory: 170 to 600 us for 10,000 vectors. Codes of four bits for every
# four numbers fit into the nearest cache, and choose in 15 us whom to compare (of the ten nearest they miss four
# in a thousand).
_LARGE = 2000
_NUMBERS_A_CODE, _BITS = 4, 4
_SAMPLE = 4096
# Chosen by codes for each neighbour asked for.
_CHOSEN = 2
_TINY = np.float32(1e-9)


class DenseIndex:
    """Search over the vectors of the forms."""

    def __init__(self, vectors: Vectors) -> None:
        """`vectors` has one unit row a form, shape (forms, dimension), float32."""
        self.size, dimension = vectors.shape
        rows = np.ascontiguousarray(vectors, np.float32)
        self._coded = self.size >= _LARGE and dimension % _NUMBERS_A_CODE == 0
        if self._coded:
            self._index: Any = faiss.IndexPQFastScan(
                dimension, dimension // _NUMBERS_A_CODE, _BITS, faiss.METRIC_INNER_PRODUCT
            )
            self._index.train(rows[:: max(1, self.size // _SAMPLE)])
        else:
            self._index = faiss.IndexFlatIP(dimension)
        self._index.add(rows)
        # One byte a number, scaled by the row's largest: a cosine is right to three digits in a quarter of the memory,
        # and comes six times as fast as from half precision, which the processor has to unpack.
        self._scales = np.abs(rows).max(axis=1, initial=0.0) / 127
        self._vectors = np.rint(rows / np.maximum(self._scales, _TINY)[:, None]).astype(np.int8)

    def nearest(self, vectors: Vectors, count: int) -> list[NDArray[np.int64]]:
        """For each vector the places of the `count` nearest forms (in a large index: of twice as many, by their codes).

        Best first; fewer if there are fewer.
        """
        wanted = count * _CHOSEN if self._coded else count
        _, places = self._index.search(np.ascontiguousarray(vectors), min(wanted, self.size))
        return [row[row >= 0] for row in places]

    def scores(self, vector: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosine with the forms at `places`."""
        cosines: NDArray[np.float32] = self._vectors[places].astype(np.float32) @ vector * self._scales[places]
        return cosines
