from __future__ import annotations

from ragcomm.text.likeness import Neighbours, bare, jaccard, trigrams


def test_trigrams_are_of_what_a_reader_hears() -> None:
    assert trigrams("失 眠，怎麼办？") == {"失眠怎", "眠怎么", "怎么办"}
    assert trigrams("茶") == {"茶"}
    assert bare("茶、 Tea！") == "茶tea"


def test_likeness_is_the_share_of_common_trigrams() -> None:
    # abc bcd cde against bcd cde def: two of four.
    assert jaccard(trigrams("abcde"), trigrams("bcdef")) == 0.5
    assert (jaccard(frozenset(), frozenset()), jaccard(trigrams("abc"), trigrams("xyz"))) == (1.0, 0.0)


def test_neighbours_are_those_alike_enough() -> None:
    known = [trigrams(text) for text in ("abcde", "xyz", "abcd")]
    assert sorted(Neighbours(known).near(trigrams("bcdef"), 0.25)) == [(0, 0.5), (2, 0.25)]
    assert sorted(Neighbours(known).near(trigrams("bcdef"), 0.3)) == [(0, 0.5)]
