"""The checks: small functions that each look for one thing and answer in one shape.

A check says only *where* it found something; how much that counts is learned by the classifier, whose
weight for the check becomes the weight of the signal. Patterns work on the normal text; every one of them
is linear (no nested repetition), so that no message can hang the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ragcomm.records import Label, Text
from ragcomm.text.lexicon import Lexicon


class Evidence(NamedTuple):
    """What a check found at [start, end) of the normal text."""

    check: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Check:
    """A named check, the label it speaks of and the sentence that explains a hit."""

    name: str
    label: Label
    why: str


CHECKS: dict[str, Check] = {
    name: Check(name, label, why)
    for label, named in {
        Label.SPAM: {
            "contact_handle": "a private account, group or number to get in touch with",
            "contact_word": "an invitation to a private account, spelled or disguised",
            "phone_number": "a telephone number",
            "link": "a link, short link or password phrase",
            "price": "an amount of money",
            "disguise": "writing that hides words from a filter",
            "flooding": "the same piece repeated again and again",
            "solicitation": "a call to get in touch, sign up, scan or share",
            "sale": "words of selling",
            "easy_money": "words of easy money and part-time job bait",
            "loan": "words of loans and cashing out",
            "gambling": "words of gambling",
            "adult": "words of sexual services",
            "fraud": "words of impersonation and fraud",
            "account_trade": "trade in accounts and bulk-sending tools",
            "superstition": "paid or threatening superstition",
            "course": "courses and certificates on sale",
            "secret_remedy": "words that advertising law forbids for remedies",
            "warning": "a warning to others (speaks against guilt)",
            "notice": "the group's own notices (speaks against guilt)",
        },
        Label.RUMOR: {
            "cure_claim": "a claim that something cures or replaces treatment",
            "food_conflict": "a claim that foods poison each other or cause disease",
            "alarm": "alarm, secrecy or borrowed authority",
            "dose": "a dose in grams or spoons",
            "denial": "words of doubt or debunking (speaks against guilt)",
        },
        Label.QUESTION: {
            "question_mark": "a question mark",
            "question_ending": "an ending that asks",
            "question_word": "a word that asks",
            "request": "a request for help or advice",
            "asking_doubt": "asks whether something is true",
        },
        Label.ABUSE: {
            "insult": "an insult",
            "contempt": "words that put somebody down",
            "threat": "a threat of harm, exposure or revenge",
            "second_person": "speaks to somebody",
        },
        Label.RISK: {
            "delay_of_care": "advice that delays urgent care",
            "stroke_sign": "a possible sign of stroke",
            "heart_sign": "a possible sign of heart or breathing failure",
            "self_harm": "a possible thought of self-harm",
            "poisoning": "a possible poisoning or overdose",
            "bleeding": "a possible dangerous bleeding",
            "child_sign": "a possible danger sign in a child",
            "danger_sign": "a possible sign of another danger: in pregnancy, of metabolism, heat, injury or allergy",
            "now": "speaks of this very moment",
            "past_or_hypothetical": "speaks of the past or of knowledge (speaks against danger)",
            "hyperbole": "strong words in jest (speaks against danger)",
        },
    }.items()
    for name, why in named.items()
}

_SEP = r"[\s:：,，.。_\-—~·、|/()\[\]【】「」号是为❤♥️]{0,4}"
_WECHAT = r"(?:微信|微[xvⅹ]|v信|v[xⅹ]|wx|w[.\s]?x|wei\s?xin|weixin|wechat|卫信|微芯|徽信|弓言|亻言|围信|v(?![a-z])|微)"
_OTHER = (
    r"(?:q{1,2}群?|扣扣|企鹅|飞机|电报|tg|telegram|纸飞机"
    r"|line|whatsapp|同号|抖音号?|小红书号?|群号|裙号)"
)
_ID = r"(?:[a-z][a-z0-9_\-]{4,19}|\d{5,12})"
_CONTACT_HANDLE = re.compile(
    rf"(?:{_WECHAT}|{_OTHER}){_SEP}{_ID}|(?:电话|手机|热线|电联){_SEP}\d{{7,12}}|@[a-z][a-z0-9_]{{4,31}}|t\.me/\w+|{_ID}{_SEP}(?:同号|{_WECHAT}同号|同微|备注)"
)
_ADD = r"(?:加|添加|jia|扫|私|➕|\+|力口)"
_CONTACT_WORD = re.compile(
    rf"{_ADD}\s?(?:我|下|一下|咱|老师|个|群主|客服|助理|店长|小助手){{0,2}}\s?的?\s?(?:{_WECHAT}|q{{1,2}}|扣|好友|群)"
    r"|[jg]wx|jwx|信微我?加|信微|号微|微商|弓长|贝兼|女且"
)
# Spellings that say it all by themselves; read on the unfolded text, where 薇 is still 薇.
_SPELLED = re.compile(r"[薇嶶徽葳溦][信芯訫伩]|十[薇嶶葳]|威芯|卫芯|(?<![a-z0-9])(?:vx|wx|jwx)(?![a-z])")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d[\s\-]?\d{4}[\s\-]?\d{4}(?!\d)|(?<!\d)400[\s\-]?\d{3}[\s\-]?\d{4}(?!\d)")
_LINK = re.compile(
    r"https?://\S+|www\.\S+|(?<![a-z0-9\-])[a-z0-9\-]{1,40}\.(?:com|cn|net|org|top|xyz|cc|vip|club|shop|me|io|co|link|live|app|tv|site)(?![a-z0-9])(?:/\S*)?"
    r"|[¥￥$][a-z0-9]{6,14}[¥￥$]|\[(?:小程序|二维码|链接|名片|群名片)\]"
)
_PRICE = re.compile(
    r"[¥￥$]\s?\d+|\d+(?:\.\d+)?\s?(?:元|块|rmb|万|w(?![a-z])|k(?![a-z])|折|u(?![a-z]))|[一二三四五六七八九十两百千]+(?:元|块钱|百块|千块|万)"
)
_DOSE = re.compile(
    r"(?:\d+(?:\.\d+)?|[一二三四五六七八九十两半几]+)\s?(?:g(?![a-z])|克|钱(?!包|财)|两(?!个|次|天|年|口|位|人)|毫升|ml|勺|汤匙|丸|粒|片(?!面))"
)
_QUESTION_MARK = re.compile(r"\?")
_ENDING = re.compile(r"(?:吗|么|呢|不|没|吧|嘛|啊|呀|哈|咧|喃|咯|伐|唻)[\s!?.~。,]*$|(?:吗|么|呢|不|没有)[\s?,!。]")
_YOU = re.compile(r"你们?|您|@[^\s@]{1,16}|某些人|有些人|有的人|这种人|那种人|这帮|那帮|这群|那群")
_NOW = re.compile(
    r"刚才?|突然|忽然|现在|这会儿?|马上|快|急|救命|在线等|怎么办|咋办|半夜|今晚|今早|今天|一直|已经|正在|了[!?。\s]|了$"
)
_REPEAT = re.compile(r"(.{2,12}?)\1{2,}", re.DOTALL)
_LONG = 400


class _Pattern(NamedTuple):
    """What a check looks for; a text without any character of `needs` cannot hold it and is not searched."""

    check: str
    expression: re.Pattern[str]
    needs: frozenset[str]
    on_folded: bool = False


_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PATTERNS = (
    _Pattern("contact_handle", _CONTACT_HANDLE, frozenset(_DIGITS + _LETTERS), on_folded=True),
    _Pattern("contact_word", _CONTACT_WORD, frozenset("加添扫私➕+力信号微弓贝女jg"), on_folded=True),
    _Pattern("contact_word", _SPELLED, frozenset("薇嶶徽葳溦威卫vwj十")),
    _Pattern("link", _LINK, frozenset("./¥￥$[")),
    _Pattern("price", _PRICE, frozenset("¥￥$元块万rwk折u")),
    _Pattern("dose", _DOSE, frozenset("g克钱两升m勺匙丸粒片")),
    _Pattern("question_mark", _QUESTION_MARK, frozenset("?")),
    _Pattern("question_ending", _ENDING, frozenset("吗么呢不没吧嘛啊呀哈咧喃咯伐唻")),
    _Pattern("second_person", _YOU, frozenset("你您@人帮群")),
    _Pattern("now", _NOW, frozenset("刚突忽现这马快急救在怎咋半今一已正了")),
)


class CheckBook:
    """All checks over one text; what they need is built once."""

    def __init__(
        self,
        cues: Mapping[str, str],
        variants: Mapping[str, str],
        *,
        domain: frozenset[str] = frozenset(),
    ) -> None:
        """`cues` maps a term to its check, `variants` a character to the one it stands for."""
        self.names = tuple(CHECKS)
        self._lexicon = Lexicon(cues, domain=domain)
        self._letters = str.maketrans({v: c for v, c in variants.items() if not c.isdigit()})
        self._digits = str.maketrans({v: c for v, c in variants.items() if c.isdigit()})

    def find(self, text: Text) -> list[Evidence]:
        """Everything any check found, in order of position within each check."""
        normal = text.normal
        folded = normal.translate(self._letters)
        written = frozenset(folded) | frozenset(normal)
        found = [
            Evidence(pattern.check, *m.span())
            for pattern in _PATTERNS
            if not pattern.needs.isdisjoint(written)
            for m in pattern.expression.finditer(folded if pattern.on_folded else normal)
        ]
        found += self._phone(normal)
        found += _disguise(text)
        found += _flooding(normal)
        found += [Evidence(h.group, h.start, h.end) for h in self._lexicon.find(text)]
        return found

    def _phone(self, normal: str) -> Iterator[Evidence]:
        for m in _PHONE.finditer(normal.translate(self._digits)):
            yield Evidence("phone_number", m.start(), m.end())


def _disguise(text: Text) -> list[Evidence]:
    if not text.tricks or not text.normal:
        return []
    return [Evidence("disguise", 0, len(text.normal))]


def _flooding(normal: str) -> list[Evidence]:
    if len(normal) < 12:
        return []
    # Three times two characters that are the same leave at least four fewer different ones than there are.
    if len(set(normal)) > len(normal) - 4:
        return []
    m = _REPEAT.search(normal[:_LONG])
    return [Evidence("flooding", m.start(), m.end())] if m else []
