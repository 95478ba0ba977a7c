"""The verifier learns what tells right from wrong, and reads back what it learned."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.unit.knowledge.worlds import ENTRIES, READER, SEGMENTER

from ragcomm.errors import ArtefactError
from ragcomm.knowledge import verifier_training
from ragcomm.knowledge.overlap import Overlap
from ragcomm.knowledge.pairs import FEATURES, ROLES, Pairs
from ragcomm.knowledge.verifier import FILES, UNKNOWN, Verifier, role_marks

MARKS = ("word:a", "word:b", "word:rare")


def pairs(count: int = 200) -> tuple[Pairs, np.ndarray]:
    """Right where a question is near and lacks the mark `b`; nearness alone leaves half of it open."""
    chance = np.random.default_rng(1)
    features = np.zeros((count, len(FEATURES)), np.float32)
    near, lacks = chance.random(count) > 0.5, chance.random(count) > 0.5
    features[:, FEATURES.index("dense")] = near
    rows = np.concatenate([np.flatnonzero(~lacks), np.arange(count), [0]])
    roles = np.full(len(rows), ROLES.index("missing"))
    marks = np.concatenate([np.full(int((~lacks).sum()), 1), np.zeros(count, int), [2]])
    return Pairs(np.arange(count), np.zeros(count, int), features, (rows, roles, marks)), near & lacks


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return verifier_training.fit(*pairs(), MARKS)


def test_it_tells_right_from_wrong_by_nearness_and_by_a_single_mark(files: dict[str, bytes]) -> None:
    verifier = Verifier.read(files)
    given, right = pairs()
    table = np.stack([verifier.role_weights[verifier.roles[m]] if m in verifier.roles else np.zeros(4) for m in MARKS])
    scores = verifier.scores(given, table)
    assert ((scores > 0) == right).all()
    assert table[1, ROLES.index("missing")] < -1
    assert set(verifier.roles) == {"word:a", "word:b"}, "a mark met once does not speak"


def test_files_come_back_from_disk_and_refuse_what_does_not_fit(files: dict[str, bytes], tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert tuple(sorted(files)) == tuple(sorted(FILES))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(Verifier.open(tmp_path).weights, Verifier.read(files).weights)
    given = json.loads(files["verifier.json"])
    given["features"] = given["features"][1:]
    with pytest.raises(ArtefactError, match="other features"):
        Verifier.read({**files, "verifier.json": json.dumps(given).encode()})
    (tmp_path / FILES[1]).write_bytes(b"damaged")
    with pytest.raises(ArtefactError, match="cannot be read"):
        Verifier.open(tmp_path)
    (tmp_path / FILES[1]).unlink()
    with pytest.raises(ArtefactError, match="verifier in"):
        Verifier.open(tmp_path)


def test_weights_go_to_the_marks_of_an_index_by_name() -> None:
    forms = [[SEGMENTER.read(form) for form in entry.forms] for entry in ENTRIES]
    overlap = Overlap(READER, zip(forms, [SEGMENTER.read(entry.answer) for entry in ENTRIES], strict=True))
    names = role_marks(overlap)
    learned = {"symptom:失眠": 0, f"word:{UNKNOWN}": 1, "word:nowhere": 2}
    weights = np.arange(12, dtype=np.float32).reshape(3, 4)
    table = Verifier(np.zeros(len(FEATURES), np.float32), 0.0, learned, weights).role_table(overlap)
    assert table[names.index("symptom:失眠")].tolist() == [0, 1, 2, 3]
    assert table[names.index(f"word:{UNKNOWN}")].tolist() == [4, 5, 6, 7]
    assert np.count_nonzero(table.any(axis=1)) == 2
