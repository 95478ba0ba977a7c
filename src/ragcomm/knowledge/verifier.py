"""Does an entry answer this very question: a linear model over what the two share and what each says alone.

Its score is in log-odds, higher is surer. Besides the numbers of `pairs.FEATURES` every word may speak for itself:
“孕妇” that only the question says weighs more than “请问”.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragcomm.errors import ArtefactError
from ragcomm.knowledge.overlap import KINDS, Numbers, Overlap
from ragcomm.knowledge.pairs import FEATURES, ROLES, Pairs

FILES = ("verifier.json", "verifier.safetensors")
UNKNOWN = "?"


def role_marks(overlap: Overlap) -> list[str]:
    """The name of every mark number of an overlap; marks that no entry has share one name a kind."""
    return [*overlap.marks, *(f"{kind}:{UNKNOWN}" for kind in KINDS)]


@dataclass(frozen=True, slots=True)
class Verifier:
    """The trained weights: one a feature, and for each mark one a role."""

    weights: Numbers
    offset: float
    roles: dict[str, int]
    role_weights: Numbers

    @classmethod
    def open(cls, folder: Path) -> Verifier:
        """Reads a saved model.

        Raises:
            ArtefactError: a file is missing or damaged, or the model was trained with other features.
        """
        try:
            return cls.read({name: (folder / name).read_bytes() for name in FILES})
        except OSError as error:
            raise ArtefactError(f"verifier in {folder}: {error}") from error

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> Verifier:
        """From the bytes of `FILES`.

        Raises:
            ArtefactError: damaged, or trained with other features.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            given, arrays = json.loads(files["verifier.json"]), load(files["verifier.safetensors"])
        except (ValueError, SafetensorError) as error:
            raise ArtefactError(f"the verifier cannot be read: {error}") from error
        if given["features"] != list(FEATURES) or given["roles"] != list(ROLES):
            raise ArtefactError("the verifier was trained with other features: train it again")
        return cls(
            arrays["weights"],
            float(given["offset"]),
            {mark: row for row, mark in enumerate(given["marks"])},
            arrays["role_weights"].astype(np.float32),
        )

    def role_table(self, overlap: Overlap) -> Numbers:
        """The weights of an index's marks, one row a mark number, one column a role; zero where none was learned."""
        table = np.zeros((len(overlap.kinds), len(ROLES)), np.float32)
        for number, mark in enumerate(role_marks(overlap)):
            row = self.roles.get(mark)
            if row is not None:
                table[number] = self.role_weights[row]
        return table

    def scores(self, pairs: Pairs, table: Numbers) -> Numbers:
        """Log-odds that the entry of each pair answers its question; `table` is that of `role_table`."""
        rows, roles, marks = pairs.roles
        spoken = np.bincount(rows, table[marks, roles], len(pairs.owners))
        result: Numbers = (pairs.features @ self.weights + spoken + self.offset).astype(np.float32)
        return result
