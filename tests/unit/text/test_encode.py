"""A text's vector is the sum of its terms' vectors, of length one."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from ragcomm.errors import ArtefactError
from ragcomm.records import Text
from ragcomm.text.encode import UNKNOWN, StaticEncoder, surface, terms

VOCABULARY = {UNKNOWN: 0, "药": 1, "药茶": 2, "药茶方": 3, "茶": 4}
TABLE = np.array([[90, 90], [1, 0], [0, 2], [-4, 0], [0, -1]], np.float16)


def cut(*tokens: str) -> Text:
    normal = "".join(tokens)
    return Text(normal, normal, None, tokens)


def unit(x: float, y: float) -> list[float]:
    length = (x * x + y * y) ** 0.5
    return [x / length, y / length]


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    return StaticEncoder(VOCABULARY, TABLE)


def test_terms_are_words_then_characters_then_pairs_without_blanks() -> None:
    assert terms(cut("药茶", " ", "方")) == ["药茶", "方", "药", "茶", "方", "药茶"]
    assert surface(cut("药茶", " ", "方")) == "药茶 方 药 茶 方 药茶"
    assert surface(cut()) == ""


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("药",), unit(1, 0)),  # as word and as character, twice the same direction
        (("药茶",), unit(0 + 1 + 0, 2 - 1 + 2)),  # word, both characters, pair
        (("药", "茶"), unit(1 + 1, -1 - 1 + 2)),  # two words, both characters, pair
        (("药茶方",), unit(-4 + 1, -1 + 2)),  # the word of three, two known characters, one known pair
        (("药药",), unit(2, 0)),
        (("茶",), unit(0, -1)),
    ],
)
def test_known_terms_add_up_and_the_sum_has_length_one(
    encoder: StaticEncoder, tokens: tuple[str, ...], expected: list[float]
) -> None:
    vectors = encoder.encode([cut(*tokens)])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [expected], atol=1e-6)


def test_unknown_terms_count_nothing(encoder: StaticEncoder) -> None:
    np.testing.assert_array_equal(encoder.encode([cut("股票"), cut(), cut("[UNK]")]), np.zeros((3, 2)))
    np.testing.assert_allclose(encoder.encode([cut("股", "药")]), [[1, 0]], atol=1e-6)


def test_terms_that_cancel_each_other_leave_zero_without_a_warning() -> None:
    encoder = StaticEncoder({"a": 0, "b": 1}, np.array([[1, 0], [-1, 0]], np.float16))
    np.testing.assert_array_equal(encoder.encode([cut("ab")]), [[0, 0]])


def test_a_batch_keeps_its_order(encoder: StaticEncoder) -> None:
    np.testing.assert_allclose(encoder.encode([cut("茶"), cut("药")]), [[0, -1], [1, 0]], atol=1e-6)
    assert encoder.encode([]).shape == (0, 2)


def test_a_very_long_text_is_summed_whole(encoder: StaticEncoder) -> None:
    text = Text("", "药 茶 " * 5000, None, ())
    np.testing.assert_allclose(encoder.encode([text]), [unit(1, -1)], atol=1e-5)


@given(st.lists(st.text("ab药 ", min_size=1, max_size=4), max_size=6), st.integers(0, 2**16))
@settings(deadline=None, max_examples=100)
def test_encoding_sums_exactly_the_terms_the_trainer_sees(tokens: list[str], seed: int) -> None:
    text = cut(*tokens)
    words = ["a", "b", "药", "ab", "aa", "药a", "b药", "ba药", "abab"]
    # Whole numbers whose largest is 127 lose nothing when they are kept as bytes.
    table = np.random.default_rng(seed).integers(-127, 128, size=(len(words), 3)).astype(np.float16)
    table[:, 1] = 127
    expected = np.zeros(3)
    for term, count in Counter(surface(text).split()).items():
        if term in words:
            expected += count * table[words.index(term)].astype(float)
    found = StaticEncoder({w: i for i, w in enumerate(words)}, table).encode([text])[0]
    length = float(np.linalg.norm(expected))
    np.testing.assert_allclose(found * length, expected, atol=1e-2)
    if length > 1e-3:
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_bytes_keep_the_direction_of_a_text() -> None:
    words = [chr(0x4E00 + i) for i in range(60)]
    table = np.random.default_rng(5).normal(size=(60, 256)).astype(np.float16)
    found = StaticEncoder({w: i for i, w in enumerate(words)}, table).encode([Text("", w, None, ()) for w in words])
    exact = table.astype(np.float32)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", found, exact) > 0.9998).all()


def write(folder: Path, vocabulary: dict[str, int], table: np.ndarray) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}), encoding="utf-8")
    save_file({"embedding.weight": table}, folder / "model.safetensors")
    return folder


def test_a_saved_model_opens_to_the_same_vectors(tmp_path: Path, encoder: StaticEncoder) -> None:
    opened = StaticEncoder.open(write(tmp_path, VOCABULARY, TABLE))
    assert opened.dimension == 2
    np.testing.assert_array_equal(opened.encode([cut("药茶方")]), encoder.encode([cut("药茶方")]))


def test_a_table_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="5 terms for 4 rows"):
        StaticEncoder.open(write(tmp_path, VOCABULARY, TABLE[:4]))


@pytest.mark.parametrize("missing", ["tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    (write(tmp_path, VOCABULARY, TABLE) / missing).unlink()
    with pytest.raises(ArtefactError, match=missing):
        StaticEncoder.open(tmp_path)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    (write(tmp_path, VOCABULARY, TABLE) / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ArtefactError):
        StaticEncoder.open(tmp_path)
