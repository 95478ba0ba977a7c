from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ragcomm.assembly import TextParts
from ragcomm.errors import ArtefactError
from ragcomm.moderation.checks import CHECKS
from ragcomm.moderation.classifier import COLUMNS, STANCES, Classifier
from ragcomm.moderation.features import SHAPES, FeatureSpace, Rows
from ragcomm.moderation.training import Sample, Trained, fit
from ragcomm.records import LABELS, Label, Stance, Text

NAMES = tuple(CHECKS)
DIMENSION = 6
# What a line is for, what it says in six ways, and what an editor would say of it.
KINDS: list[tuple[str, set[Label], Stance | None, bool]] = [
    ("加微信领取 加我微信咨询 私聊我包邮 下单加V信 扫码加群领取 包邮下单私聊我", {Label.SPAM}, None, False),
    ("喝醋包治百病 绿豆抗癌 虾等于砒霜 喝醋软化血管 断食排毒抗癌 碱性水抗癌", {Label.RUMOR}, Stance.ASSERT, False),
    ("艾灸怎么做 请问黄芪几克 能不能喝姜茶 哪里学八段锦 早上喝什么茶 泡脚多久", {Label.QUESTION}, None, False),
    (
        "喝醋抗癌真的吗 绿豆抗癌可信吗 喝醋靠谱吗 断食真的假的 碱性水有用吗 虾会中毒吗",
        {Label.QUESTION},
        Stance.ASK,
        False,
    ),
    ("你就是个王八蛋 你这个废物 闭嘴吧废物 你们这帮骗子 给我滚出去 你脑子进水", {Label.ABUSE}, None, False),
    ("爸爸说不出话 他胸口疼冒冷汗 孩子误食农药 奶奶流血不止 宝宝抽搐 叫不醒", {Label.RISK}, None, False),
    ("我不想活 想结束自己 写好遗书 活着没意思 想跳楼 不想活了", {Label.RISK}, None, True),
    ("早上好 今天打卡 天气真好 谢谢老师 吃过饭了 晚安大家", set(), None, False),
]


class Watch:
    """Remembers every model scikit-learn fitted, with the matrix it was fitted on."""

    def __init__(self) -> None:
        self.fitted: list[tuple[Any, Any]] = []


@pytest.fixture(scope="module")
def fitted(text_parts: TextParts) -> tuple[list[Sample], NDArray[np.float32], Trained, Watch]:
    from sklearn import linear_model

    watch = Watch()

    class Watched(linear_model.LogisticRegression):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            watch.fitted.append((self, X))
            return super().fit(X, y, sample_weight)

    samples = []
    for lines, labels, stance, self_harm in KINDS:
        for i, line in enumerate(lines.split()):
            text = text_parts.segmenter.read(line)
            samples.append(
                Sample(
                    text=text,
                    found=text_parts.checks.find(text),
                    quoted=i == 3,
                    labels=frozenset(labels),
                    stance=stance,
                    self_harm=self_harm,
                    weight=1.0 + i / 10,
                    judged=frozenset(LABELS),
                    own=True,
                )
            )
    vectors = np.random.default_rng(7).normal(size=(len(samples), DIMENSION)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_model, "LogisticRegression", Watched)
        trained = fit(samples, vectors, NAMES, {})
    return samples, vectors, trained, watch


def written(trained: Trained, folder: Path) -> Path:
    for name, content in trained.files.items():
        (folder / name).write_bytes(content)
    return folder


def test_exported_scores_are_those_of_scikit_learn(fitted: Any, tmp_path: Path) -> None:
    samples, vectors, trained, watch = fitted
    classifier = Classifier.open(written(trained, tmp_path), NAMES, {})
    width = classifier.space.width + DIMENSION
    # The final models saw all lines and all features; calibration and folds saw less.
    final = [(m, x) for m, x in watch.fitted if x.shape == (len(samples), width)]
    expected = np.full((len(samples), len(COLUMNS)), np.nan)
    for column, (model, matrix) in enumerate(final[:-1]):
        expected[:, column] = model.decision_function(matrix)
    stance, matrix = final[-1]
    # A stance no line takes has no model and stays at zero.
    expected[:, len(LABELS) + 1 :] = 0
    for i, kind in enumerate(stance.classes_):
        expected[:, COLUMNS.index(f"stance:{kind}")] = stance.decision_function(matrix)[:, i]
    rows = classifier.space.rows([s.text for s in samples], [s.found for s in samples], [s.quoted for s in samples])
    scores = classifier.scores(rows, vectors)
    assert set(stance.classes_) == {"none", "assert", "ask"}
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-4)
    # An equality of constants would say nothing.
    assert np.ptp(expected, axis=0)[: len(LABELS) + 1].min() > 0.1


def test_each_label_scores_its_own_lines_highest(fitted: Any, tmp_path: Path) -> None:
    samples, vectors, trained, _ = fitted
    classifier = Classifier.open(written(trained, tmp_path), NAMES, {})
    judged = classifier.judge(
        [s.text for s in samples], [s.found for s in samples], vectors, [s.quoted for s in samples]
    )
    for label in LABELS:
        said = [j.labels[label] for j, s in zip(judged, samples, strict=True) if label in s.labels]
        others = [j.labels[label] for j, s in zip(judged, samples, strict=True) if label not in s.labels]
        assert np.mean(said) > np.mean(others)
    assert all(0 <= p <= 1 for j in judged for p in (*j.labels.values(), j.self_harm))
    assert [sum(j.stances.values()) for j in judged] == pytest.approx([1.0] * len(judged))


def test_training_twice_exports_the_same_bytes(fitted: Any) -> None:
    samples, vectors, trained, _ = fitted
    assert fit(samples, vectors, NAMES, {}).files == trained.files


def test_a_model_of_other_checks_is_refused(fitted: Any, tmp_path: Path) -> None:
    folder = written(fitted[2], tmp_path)
    with pytest.raises(ArtefactError, match="trained with other checks or labels"):
        Classifier.open(folder, NAMES[1:], {})


@pytest.mark.parametrize("file", ["parameters.json", "vocabulary.json", "weights.safetensors"])
def test_a_model_that_misses_a_file_is_refused(fitted: Any, tmp_path: Path, file: str) -> None:
    folder = written(fitted[2], tmp_path)
    (folder / file).unlink()
    with pytest.raises(ArtefactError, match="moderation model in"):
        Classifier.open(folder, NAMES, {})


# A model small enough to add up in the head.
GRAMS = ["卖假", "假药", "卖假药", "百病", "包治百病", "药"]
WEIGHT = {
    ("卖假", Label.SPAM): 2.0,
    ("假药", Label.SPAM): 2.0,
    ("卖假药", Label.SPAM): 3.0,
    ("包治百病", Label.RUMOR): 4.0,
    ("百病", Label.RUMOR): 2.0,
    ("药", Label.RISK): 5.0,
}


@pytest.fixture
def tiny() -> Classifier:
    space = FeatureSpace(GRAMS, [], np.ones(len(GRAMS), np.float32), ("link", "dose"), {})
    weights = np.zeros((space.width, len(COLUMNS)), np.float32)
    for (gram, label), weight in WEIGHT.items():
        weights[GRAMS.index(gram), LABELS.index(label)] = weight
    first, second = space.check_columns("link")
    weights[first, LABELS.index(Label.SPAM)] = 1.5
    weights[second, LABELS.index(Label.SPAM)] = 0.25
    dense = np.zeros((2, len(COLUMNS)), np.float32)
    dense[1, LABELS.index(Label.ABUSE)] = 10.0
    bias = np.zeros(len(COLUMNS), np.float32)
    bias[LABELS.index(Label.SPAM)] = -1.0
    bias[COLUMNS.index("stance:deny")] = 2.0
    return Classifier(space, weights, dense, bias, [1, 2, 1, 1, 1, 1], [0, 0, 0.5, 0, 0, 0])


def pointed(classifier: Classifier, text: Text, label: Label) -> str | None:
    stretch = classifier.telling_span(text, label)
    if stretch is None:
        return None
    start, end = text.span(*stretch[:2])
    return text.raw[start:end]


@pytest.mark.parametrize(
    ("raw", "spam", "rumor"),
    [
        ("今天群里有人卖假药真讨厌", "卖假药", None),
        ("今天群里有人卖\u200b假\u200b藥真讨厌", "卖\u200b假\u200b藥", None),
        ("卖假药的说包治百病，别信他", "卖假药", "包治百病"),
        ("卖假药", "卖假药", None),
        ("今天天气真好", None, None),
        ("", None, None),
    ],
)
def test_the_telling_span_lies_on_the_guilty_words(
    tiny: Classifier, text_parts: TextParts, raw: str, spam: str | None, rumor: str | None
) -> None:
    text = text_parts.segmenter.read(raw)
    assert (pointed(tiny, text, Label.SPAM), pointed(tiny, text, Label.RUMOR)) == (spam, rumor)


def test_a_single_character_tells_nothing(tiny: Classifier, text_parts: TextParts) -> None:
    text = text_parts.segmenter.read("今天喝药了")
    assert tiny.telling_span(text, Label.RISK) is None


def test_every_gram_shares_its_weight_evenly_among_its_characters(tiny: Classifier, text_parts: TextParts) -> None:
    # Two pairs of weight 2 and three characters of weight 3 make 2, 3 and 2; the toll is half their mean over
    # five places, borders included.
    stretch = tiny.telling_span(text_parts.segmenter.read("卖假药"), Label.SPAM)
    assert stretch == (0, 3, pytest.approx((7 - 3 * 0.7) / 5**0.5))


def test_scores_add_up_in_the_head(tiny: Classifier) -> None:
    rows = Rows(np.array([0, 3]), np.array([0, 3, 6]), np.array([0.5, 0.25, 1.0], np.float32))
    (scores,) = tiny.scores(rows, np.array([[7.0, 0.1]], np.float32)).tolist()
    expected = dict.fromkeys(COLUMNS, 0.0) | {"spam": 0.5 * 2 + 1.5 - 1, "rumor": 0.25 * 2, "abuse": 1.0}
    assert dict(zip(COLUMNS, scores, strict=True)) == pytest.approx(expected | {"stance:deny": 2.0})


def test_probabilities_are_calibrated_and_stances_share_one(tiny: Classifier, text_parts: TextParts) -> None:
    text = text_parts.segmenter.read("包治百病")
    [judged] = tiny.judge([text], [[]], np.zeros((1, 2), np.float32), [False])
    # Two known grams of weight one: each counts 1/√2; rumor is calibrated by twice its score.
    score = (4 + 2) / 2**0.5
    sigmoid = {s: 1 / (1 + np.exp(-s)) for s in (-1, 0.5, 2 * score)}
    assert judged.labels == pytest.approx(
        {
            Label.SPAM: sigmoid[-1],
            Label.RUMOR: sigmoid[2 * score],
            Label.QUESTION: sigmoid[0.5],
            Label.ABUSE: 0.5,
            Label.RISK: 0.5,
        }
    )
    assert judged.self_harm == 0.5
    whole = np.exp(2) + len(STANCES) - 1
    assert judged.stances == pytest.approx({s: np.exp(2) / whole if s == "deny" else 1 / whole for s in STANCES})


def test_a_score_of_any_size_has_a_probability(text_parts: TextParts) -> None:
    space = FeatureSpace(["药"], [], np.ones(1, np.float32), (), {})
    weights = np.full((space.width, len(COLUMNS)), 1e6, np.float32)
    weights[:, LABELS.index(Label.SPAM)] = -1e6
    classifier = Classifier(
        space, weights, np.zeros((1, len(COLUMNS)), np.float32), np.zeros(len(COLUMNS), np.float32), [1] * 6, [0] * 6
    )
    [judged] = classifier.judge([text_parts.segmenter.read("药")], [[]], np.zeros((1, 1), np.float32), [False])
    assert judged.labels[Label.SPAM] == pytest.approx(0, abs=1e-20)
    assert judged.labels[Label.RISK] == pytest.approx(1)
    assert judged.stances == pytest.approx(dict.fromkeys(STANCES, 1 / len(STANCES)))


@pytest.mark.parametrize(("times", "weight"), [(1, 1.5), (2, 1.75), (9, 1.75)])
def test_a_check_that_hits_again_counts_its_second_column_too(tiny: Classifier, times: int, weight: float) -> None:
    assert tiny.check_weight("link", Label.SPAM, times=times) == weight
    assert tiny.check_weight("link", Label.RISK, times=times) == 0.0
    assert tiny.check_weight("dose", Label.SPAM, times=times) == 0.0


def test_arrays_of_another_shape_are_refused() -> None:
    space = FeatureSpace([], [], np.ones(0, np.float32), ("link",), {})
    bias = np.zeros(len(COLUMNS), np.float32)
    fits = np.zeros((2 + len(SHAPES), len(COLUMNS)), np.float32)
    for weights, dense in ((fits[1:], fits), (fits[:, 1:], fits), (fits, fits[:, 1:])):
        with pytest.raises(ArtefactError, match="moderation: weights"):
            Classifier(space, weights, dense, bias, [1] * 6, [0] * 6)
