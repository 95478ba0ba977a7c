"""What a vetted answer may not say: promises of a cure, words of advertising, and doses for a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PROMISE = re.compile(
    r"根治|断根|除根|包治|包好|治愈|百分之百|100%|永不复发|药到病除|特效|神药|祖传秘方|无副作用|没有副作用"
)
# Words that turn a promise into a warning, before it or after it.
_DENIED = re.compile(
    r"不|别|勿|没|无法|难|所谓|宣称|声称|号称|自称|说法|凡|谎|骗|夸大|警惕|标榜|误导|不实|遇到|听到|承诺|看到|推销|广告|假的|谣言|违法|编的"
)
_NEAR = 14
_DOSE = re.compile(r"\d+(?:\.\d+)?\s*(?:[-~—～至到]\s*\d+(?:\.\d+)?)?\s*(?:g|克|mg|毫克|片|粒|丸|袋|支)(?![a-z])")
_LIMIT = re.compile(r"不超过|别超|不能超|以内|上限|限量|不得超|超过|残留")
_SENTENCE = re.compile(r"[^。！？!?\n]+")


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that meets the longest of the words first; of no words, one that meets nothing."""
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)) or r"(?!)")


def sentences(text: str) -> list[str]:
    """The sentences of a text, without their ends."""
    return [sentence.strip() for sentence in _SENTENCE.findall(text)]


def promises(text: str) -> Iterator[str]:
    """Promises of a cure that are not denied in the same breath."""
    return undenied(text, _PROMISE)


def undenied(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """What the pattern meets, with the words around it, unless they deny it."""
    for met in pattern.finditer(text):
        around = text[max(0, met.start() - _NEAR) : met.start()], text[met.end() : met.end() + _NEAR]
        if not any(map(_DENIED.search, around)):
            yield f"{around[0]}{met[0]}{around[1]}"


def doses(text: str, medicine: re.Pattern[str]) -> Iterator[str]:
    """Amounts in a sentence that names a medicine, unless they are a limit."""
    for sentence in sentences(text):
        if _DOSE.search(sentence) and medicine.search(sentence) and not _LIMIT.search(sentence):
            yield sentence
