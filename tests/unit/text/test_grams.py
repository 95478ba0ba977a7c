"""Grams are found exactly where a naive search finds them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.text.grams import LONGEST, GramIndex, gram_codes

ALPHABET = "ab药茶\x02🙏😀"
gram = st.text(ALPHABET, min_size=1, max_size=LONGEST)


def found(index: GramIndex, text: str) -> list[tuple[int, int, int]]:
    starts, places, lengths = index.find(gram_codes(text))
    return sorted(zip(starts.tolist(), places.tolist(), lengths.tolist(), strict=True))


@given(st.lists(gram, unique=True, max_size=30), st.text(ALPHABET + "\x00𠀀", max_size=20))
@settings(deadline=None, max_examples=200)
def test_every_gram_is_found_wherever_it_stands_and_nothing_else(grams: list[str], text: str) -> None:
    expected = [
        (i, place, len(gram)) for place, gram in enumerate(grams) for i in range(len(text)) if text.startswith(gram, i)
    ]
    assert found(GramIndex(grams), text) == sorted(expected)


def test_many_grams_find_their_slots() -> None:
    grams = [chr(0x4E00 + i) + chr(0x4E00 + i // 7) for i in range(20_000)]
    index = GramIndex(grams)
    for place in (0, 1, 4_711, 19_999):
        assert (0, place, 2) in found(index, grams[place])
    assert found(index, "龥龥") == []


def test_a_code_has_sixteen_bits_and_symbols_keep_apart() -> None:
    codes = gram_codes("药😀🙏𠀀𠀁").tolist()
    assert codes == [0x836F, 0xE600, 0xE64F, 0xF8FF, 0xF8FF]
    assert gram_codes("").tolist() == []
    assert gram_codes("\ud800").tolist() == [0xD800]


@pytest.mark.parametrize("grams", [["药", ""], ["一二三四五"]])
def test_grams_of_other_lengths_are_refused(grams: list[str]) -> None:
    with pytest.raises(ValueError, match="1 to 4 characters"):
        GramIndex(grams)
