from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.assembly import TextParts
from ragcomm.moderation.checks import _PATTERNS, CHECKS, CheckBook, _flooding, _Pattern
from ragcomm.records import Label
from ragcomm.text.normalize import normalize

# Each check with lines it must find something in, and what that is in the raw text.
GOLDEN: dict[str, list[tuple[str, str]]] = {
    "contact_handle": [
        ("想调理的找微信：tcm88886 详聊", "微信：tcm88886"),
        ("需要的薇❤️tcm88886", "薇❤️tcm88886"),
        ("看图，Ｖ信【zhongyi2024】", "Ｖ信【zhongyi2024"),
        ("微\u200b信\u200btcm88886", "微\u200b信\u200btcm88886"),
        ("Q群 123456789 进", "Q群 123456789"),
        ("频道 t.me/laozhongyi", "t.me/laozhongyi"),
    ],
    "contact_word": [
        ("有意者加我微信", "加我微信"),
        ("有意者加\u200b微\u200b信领取", "加\u200b微\u200b信"),
        ("想要的➕V", "➕V"),
        ("想要的，加-微-信", "加-微-信"),
        ("方子都在，十薇", "十薇"),
    ],
    "phone_number": [
        ("打138 1234 5678就行", "138 1234 5678"),
        ("打１３８１２３４５６７８就行", "１３８１２３４５６７８"),
        ("打一三八一二三四五六七八就行", "一三八一二三四五六七八"),
        ("打①③⑧①②③④⑤⑥⑦⑧就行", "①③⑧①②③④⑤⑥⑦⑧"),
        ("打400-123-4567就行", "400-123-4567"),
    ],
    "link": [
        ("详情见https://a.cn/x1 快看", "https://a.cn/x1"),
        ("详情见 ａｂｃ．ｃｏｍ/x", "ａｂｃ．ｃｏｍ/x"),
        ("点 t.cn/abc 看", "t.cn/abc"),
        ("复制￥Ab12Cd34￥打开", "￥Ab12Cd34￥"),
        ("长按[二维码]进群", "[二维码]"),
    ],
    "price": [("这款98元一盒", "98元"), ("这款９８元一盒", "９８元"), ("只收两百块", "两百块"), ("仅￥199了", "￥199")],
    "disguise": [
        ("加\u200b微信", "加\u200b微信"),
        ("Ｖ信找我", "Ｖ信找我"),
        ("电话①③⑧", "电话①③⑧"),
        ("加-微-信", "加-微-信"),
        ("微̶信̶", "微̶信"),
    ],
    "flooding": [
        ("快来抢快来抢快来抢快来抢快来抢", "快来抢快来抢快来抢快来抢快来抢"),
        ("先说一句：招人了招人了招人了招人了，在哪", "招人了招人了招人了招人了"),
    ],
    "solicitation": [("想要的私聊我", "私聊我"), ("想要的私\u200b聊\u200b我", "私\u200b聊\u200b我")],
    "sale": [("今天下单全国包邮", "包邮"), ("今天下單全國包郵", "包郵")],
    "easy_money": [("在家刷单也能挣", "刷单"), ("在家刷單也能掙", "刷單")],
    "loan": [("不看征信就能办", "不看征信"), ("不\u200b看征信就能办", "不\u200b看征信")],
    "gambling": [("新人送彩金", "送彩金"), ("这里有百家乐", "百家乐")],
    "adult": [("今晚约炮吗", "约炮"), ("今晚約炮嗎", "約炮")],
    "fraud": [("把验证码发我一下", "验证码发我"), ("把驗證碼發我一下", "驗證碼發我")],
    "account_trade": [("长期做引流软件", "引流软件"), ("收ＵＳＤＴ", "ＵＳＤＴ")],
    "superstition": [("给孩子喝符水", "符水"), ("请大师算命", "算命")],
    "course": [("这个班包拿证", "包拿证"), ("特訓營開始了", "特訓營")],
    "secret_remedy": [("一贴见效的东西", "一贴见效"), ("吃了永不復發", "永不復發")],
    "warning": [("大家别上当", "别上当"), ("小心诈骗", "诈骗")],
    "notice": [("请看群公告", "群公告"), ("违者移出", "违者")],
    "cure_claim": [("喝这个包治百病", "包治百病"), ("喝這個包治百病", "包治百病")],
    "food_conflict": [("虾和维C等于砒霜", "等于砒霜"), ("蝦和維C等於砒霜", "等於砒霜")],
    "alarm": [("紧急扩散，看完就删", "紧急扩散"), ("紧急扩散，看完就删", "看完就删")],
    "dose": [("甘草3克煮水", "3克"), ("黄芪１５ｇ煮水", "１５ｇ"), ("生姜两片", "两片"), ("蜂蜜半勺", "半勺")],
    "denial": [("这是谣言", "谣言"), ("這說法沒有科學依據", "沒有科學依據")],
    "question_mark": [("艾灸天天做？", "？"), ("艾灸天天做?", "?")],
    "question_ending": [("艾灸天天能做吗", "吗"), ("艾灸天天能做嗎！", "嗎！")],
    "question_word": [("艾灸怎么做", "怎么"), ("艾灸怎麼做", "怎麼")],
    "request": [("请问艾灸的时间", "请问"), ("請問艾灸的時間", "請問")],
    "asking_doubt": [("说法真的假的", "真的假的"), ("这个说法靠谱吗", "靠谱吗")],
    "contempt": [("这事轮得到你插嘴吗", "轮得到你")],
    "threat": [("你给我等着", "你给我等")],
    "insult": [("真是个王八蛋", "王八蛋"), ("王\u200b八\u200b蛋", "王\u200b八\u200b蛋")],
    "second_person": [("你们这样说不好", "你们"), ("@老周 早上好", "@老周"), ("這幫人又來了", "這幫")],
    "delay_of_care": [("先放血再说", "先放血"), ("叫他别打120", "别打120")],
    "stroke_sign": [("爸爸说不出话", "说不出话"), ("爸爸說不出話", "說不出話")],
    "heart_sign": [("他胸口疼得厉害", "胸口疼得厉害"), ("他喘不上氣", "喘不上氣")],
    "self_harm": [("我不想活", "不想活"), ("我想自殺", "想自殺")],
    "poisoning": [("孩子误食了东西", "误食"), ("他喝農藥", "喝農藥")],
    "bleeding": [("奶奶吐血", "吐血"), ("奶奶流血不止", "流血不止")],
    "danger_sign": [("我这是破水了", "破水了"), ("孕期流血", "孕期流血")],
    "child_sign": [("宝宝翻白眼", "翻白眼"), ("寶寶抽搐", "抽搐")],
    "now": [("他突然倒下", "突然"), ("快！救命", "救命")],
    "past_or_hypothetical": [("去年的事", "去年"), ("萬一遇到", "萬一")],
    "hyperbole": [("笑死我", "笑死"), ("累死我", "累死")],
}
LINES = [(check, raw, guilty) for check, lines in GOLDEN.items() for raw, guilty in lines]


def found(parts: TextParts, raw: str) -> set[tuple[str, str]]:
    """What the checks find: their names, with the raw text they point to."""
    text = parts.segmenter.read(raw)
    spans = ((e.check, text.span(e.start, e.end)) for e in parts.checks.find(text))
    return {(check, raw[start:end]) for check, (start, end) in spans}


def test_every_check_has_its_golden_lines() -> None:
    assert set(GOLDEN) == set(CHECKS)


@pytest.mark.parametrize(("check", "raw", "guilty"), LINES)
def test_a_check_finds_its_golden_line_and_points_into_the_raw_text(
    text_parts: TextParts, check: str, raw: str, guilty: str
) -> None:
    assert (check, guilty) in found(text_parts, raw)


@pytest.mark.parametrize(
    "raw",
    [
        "微信运动走了一万步",
        "微信里看到这篇文章",
        "今天走了13812步",
        "体检编号是20231234567890",
        "快递单号1381234567890",
        "家里血压138/85，心率72",
        "2024年3月15日开始喝的",
        "每周三次，一次三十分钟",
        "这个链接打不开",
        "电话响了三次没人接",
        "群里加油，大家一起打卡",
        "加点红枣和枸杞一起煮",
        "加一勺蜂蜜",
        "维生素C和维生素E能一起吃吗",
        "微微出汗就行",
        "喝了q弹的银耳羹",
        "线下讲座在社区医院二楼",
        "急救电话是120",
    ],
)
def test_a_harmless_neighbour_is_neither_contact_nor_phone_nor_link(text_parts: TextParts, raw: str) -> None:
    drawn = {"contact_handle", "contact_word", "phone_number", "link", "disguise"}
    assert [hit for hit in found(text_parts, raw) if hit[0] in drawn] == []


@pytest.mark.parametrize(
    "raw",
    ["大家维护群里的秩序", "人家微微一笑", "专家微博说过", "维生素D每天十微克", "搜一下群公告", "心理热线12356随时打"],
)
def test_an_everyday_word_that_looks_like_an_invitation_is_none(text_parts: TextParts, raw: str) -> None:
    assert [hit for hit in found(text_parts, raw) if hit[0] in ("contact_handle", "contact_word")] == []


@pytest.mark.parametrize(
    ("check", "raw", "guilty"),
    [
        # Read on the unfolded text, where 薇 is still 薇.
        ("contact_word", "方子都在薇信里", "薇信"),
        # No word boundary stands between a Han character and a letter.
        ("link", "详情见abc.com", "abc.com"),
        ("contact_word", "找我用vx哦", "vx"),
        # Repeated Latin letters stay.
        ("link", "详情见www.zhongyi.org", "www.zhongyi.org"),
        # One word of the dictionary, in which neither 祖传 nor 秘方 stands alone.
        ("secret_remedy", "家里有祖传秘方", "祖传秘方"),
    ],
)
def test_a_check_finds_what_it_names(text_parts: TextParts, check: str, raw: str, guilty: str) -> None:
    assert (check, guilty) in found(text_parts, raw)


@pytest.mark.parametrize(
    ("raw", "check"),
    [
        ("三黄片吃几天", "adult"),
        ("前面路口交通很堵", "adult"),
        ("甘草酸的研究", "dose"),
        ("钱包里有2钱包", "dose"),
        ("今天好", "flooding"),
        ("哈哈哈哈哈哈哈哈哈哈哈哈哈", "flooding"),
        ("枸杞、红枣、桂圆、山药", "disguise"),
        ("早上好☀️", "disguise"),
        ("五点起床", "price"),
        ("随便问问", "question_mark"),
    ],
)
def test_a_check_stays_silent_where_a_longer_word_or_plain_writing_only_looks_like_it(
    text_parts: TextParts, raw: str, check: str
) -> None:
    assert check not in {name for name, _ in found(text_parts, raw)}


@pytest.mark.parametrize("raw", ["", " ", "\u200b\u200b", "🙏🙏🙏", "\ud800", "。"])
def test_a_text_without_words_is_guilty_of_nothing(text_parts: TextParts, raw: str) -> None:
    quiet = {name for name, check in CHECKS.items() if check.label is not Label.QUESTION} - {"disguise"}
    assert [hit for hit in found(text_parts, raw) if hit[0] in quiet] == []


def test_every_hit_is_told(text_parts: TextParts) -> None:
    text = text_parts.segmenter.read("138 1234 5678或139 1234 5678")
    spans = [text.span(e.start, e.end) for e in text_parts.checks.find(text) if e.check == "phone_number"]
    assert spans == [(0, 13), (14, 27)]


def test_cues_and_variants_are_those_given(text_parts: TextParts) -> None:
    book = CheckBook({"苹果": "sale"}, {"彳": "微"})
    text = text_parts.segmenter.read("苹果包邮，彳信tcm88886")
    hits = {(e.check, text.normal[e.start : e.end]) for e in book.find(text)}
    assert hits == {("sale", "苹果"), ("contact_handle", "彳信tcm88886")}


def test_a_check_speaks_of_the_label_it_was_made_for() -> None:
    assert {name: CHECKS[name].label for name in ("link", "dose", "request", "insult", "self_harm")} == {
        "link": Label.SPAM,
        "dose": Label.RUMOR,
        "request": Label.QUESTION,
        "insult": Label.ABUSE,
        "self_harm": Label.RISK,
    }
    assert all(check.name == name and check.why for name, check in CHECKS.items())


@pytest.mark.parametrize("pattern", _PATTERNS, ids=lambda p: f"{p.check}{'-folded' * p.on_folded}")
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_no_text_that_a_pattern_finds_is_spared_the_search(pattern: _Pattern, data: st.DataObject) -> None:
    normal, _, _ = normalize(data.draw(st.from_regex(pattern.expression)))
    assert not (pattern.expression.search(normal) and pattern.needs.isdisjoint(normal))


@given(st.text("ab", min_size=2, max_size=12), st.integers(3, 5), st.text("xyz", max_size=6))
@settings(deadline=None)
def test_no_repetition_is_spared_the_search(piece: str, times: int, rest: str) -> None:
    text = rest + piece * times
    if len(text) >= 12:
        assert _flooding(text)
