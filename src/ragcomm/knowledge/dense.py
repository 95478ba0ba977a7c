"""Dense similarity: inner products of unit vectors in a flat FAISS index.

Scores are cosines in [-1, 1], higher is closer. (FAISS pads missing neighbours with place -1.)
"""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from ragcomm.text.encode import Vectors

# The service answers many messages at once; a search that takes all cores would stall its neighbours.
faiss.omp_set_num_threads(1)


class DenseIndex:
    """Exact search over the vectors of the forms."""

    def __init__(self, vectors: Vectors) -> None:
        """`vectors` has one unit row a form, shape (forms, dimension), float32."""
        self.size = len(vectors)
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, np.float32))

        # The vectors as the index holds them, without a copy.
        self._vectors: NDArray[np.float32] = faiss.rev_swig_ptr(
            self._index.get_xb(), self.size * vectors.shape[1]
        ).reshape(self.size, vectors.shape[1])

    def nearest(self, vector: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Places and cosines of the nearest forms, best first; fewer than `count` if there are fewer."""
        cosines, places = self._index.search(vector[None, :], min(count, self.size))
        found = places[0] >= 0
        return places[0][found], cosines[0][found]

    def scores(self, vector: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosine with the forms at `places`."""
        cosines: NDArray[np.float32] = self._vectors[places] @ vector
        return cosines
