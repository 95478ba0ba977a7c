"""A tiny world is learned, saved, and read alike by sentence-transformers and by the service."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.knowledge.worlds import calibration, verifier

from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.encoder_training import Recipe, train
from ragcomm.knowledge.overlap import Reader
from ragcomm.knowledge.retrieval import Index
from ragcomm.records import Decision, Entry
from ragcomm.text.encode import UNKNOWN, StaticEncoder, surface
from ragcomm.text.segment import Segmenter

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

pytestmark = [
    pytest.mark.slow,
    # torch 2.9 asks for `.item()` where training says `float(loss)`.
    pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad"),
]

SEGMENTER = Segmenter()
# The last of each is kept from training and asked afterwards; it shares no whole phrase with the question.
WORLD = {
    "sleep": ("失眠怎么办", "晚上睡不着觉", "夜里总是醒睡不好", "睡不着失眠有什么办法", "老是失眠夜里醒"),
    "cold": ("感冒流鼻涕喝什么", "着凉感冒了", "风寒感冒鼻塞流涕", "感冒鼻塞喝姜汤", "着凉了流鼻涕"),
    "feet": ("泡脚水温多少合适", "热水泡脚泡多久", "每天泡脚水温", "泡脚要泡多久才合适", "热水泡脚水温"),
    "tongue": ("舌苔厚白是湿气吗", "舌头上舌苔很厚", "湿气重舌苔发白", "舌苔又白又厚", "舌头发白苔厚湿气"),
    "moxa": ("艾灸足三里的位置", "足三里艾灸几分钟", "艾灸穴位怎么找", "艾条灸足三里", "艾条灸穴位几分钟"),
    "diet": ("夏天吃什么祛暑", "绿豆汤祛暑消暑", "暑天喝绿豆汤好吗", "夏天消暑吃绿豆", "夏天喝绿豆汤祛暑"),
}
BYSTANDERS = ("今天谁去开会", "股票又跌了", "快递到门口了", "周末一起爬山", "明天几点上课", "这电影真好看")
RECIPE = Recipe(dimension=16, least_documents=1, most_terms=2000, epochs=30, batch=6, bystanders=4)


def learn(losses: list[float] | None = None, *, recipe: Recipe = RECIPE) -> dict[str, bytes]:
    told: list[float] = [] if losses is None else losses
    return train(
        [[SEGMENTER.read(form) for form in forms[:-1]] for forms in WORLD.values()],
        [SEGMENTER.read(line) for line in BYSTANDERS],
        [SEGMENTER.read("泡脚和艾灸都是养生的办法")],
        recipe,
        lambda epoch, loss: told.append(loss),
    )


@pytest.fixture(scope="module")
def losses() -> list[float]:
    return []


@pytest.fixture(scope="module")
def files(losses: list[float]) -> dict[str, bytes]:
    return learn(losses)


@pytest.fixture(scope="module")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder")
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


@pytest.fixture(scope="module")
def encoder(folder: Path) -> StaticEncoder:
    return StaticEncoder.open(folder)


@pytest.mark.parametrize("name", WORLD)
def test_a_wording_it_never_saw_finds_its_entry(encoder: StaticEncoder, name: str) -> None:
    entries = [
        Entry(
            id=key,
            question=forms[0],
            answer=key,
            forms=forms[:-1],
            category="world",
            review_status="editorial",
            reviewed_on="2026-01-01",
            expires_on="2027-01-01",
        )
        for key, forms in WORLD.items()
    ]
    # Half a cosine is worth a half; two thirds are enough to answer.
    reader = Reader({}, {}, {}, frozenset())
    check = verifier(dense=12.0, offset=-6.0)
    answerer = Answerer(entries, Index(entries, SEGMENTER, encoder, reader), check, calibration(0.88, 0.5), "tiny")
    text = SEGMENTER.read(WORLD[name][-1])
    (finding,) = answerer.search([text], encoder.encode([text]))
    assert finding.matches[0].entry.id == name
    assert finding.decision is Decision.ANSWER
    assert finding.matches[1].confidence < 0.5
    other = SEGMENTER.read("股票什么时候跌")
    assert answerer.search([other], encoder.encode([other]))[0].decision is Decision.ABSTAIN


def test_sentence_transformers_sees_the_same_vectors(
    folder: Path, encoder: StaticEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    library = pytest.importorskip("sentence_transformers", reason="needs the extra train")
    raws = [form for forms in WORLD.values() for form in forms]
    raws += ["ＡＢ 泡 脚，水温！！！", "艾灸艾灸艾灸", "陌生的麒麟泡脚", "脚", "失眠 [UNK] 感冒", "泡脚\u200b水温" * 40]
    texts = [SEGMENTER.read(raw) for raw in raws]
    model = library.SentenceTransformer(str(folder), device="cpu")
    ours = encoder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    # The service keeps a byte a number.
    theirs = model.float().encode([surface(text) for text in texts], show_progress_bar=False)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-2)
    assert (np.einsum("ij,ij->i", ours, theirs) > 0.999).all()
    unknown = SEGMENTER.read("zzz")
    assert not encoder.encode([unknown]).any()
    assert not model.encode([surface(unknown)], show_progress_bar=False).any()


def test_the_same_seed_gives_the_same_bytes(files: dict[str, bytes]) -> None:
    assert learn() == files


def test_training_lowers_the_loss(files: dict[str, bytes], losses: list[float]) -> None:
    assert len(losses) == RECIPE.epochs
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


def test_contrast_sets_entries_further_apart_than_the_starting_point(encoder: StaticEncoder, tmp_path: Path) -> None:
    for name, content in learn(recipe=replace(RECIPE, rate=1e-12)).items():
        (tmp_path / name).write_bytes(content)
    assert margin(encoder) > margin(StaticEncoder.open(tmp_path)) + 0.01


def margin(encoder: StaticEncoder) -> float:
    """How much nearer unseen wordings are to their own entry than to the next best, on average."""
    known = encoder.encode([SEGMENTER.read(form) for forms in WORLD.values() for form in forms[:-1]])
    asked = encoder.encode([SEGMENTER.read(forms[-1]) for forms in WORLD.values()])
    best = (asked @ known.T).reshape(len(WORLD), len(WORLD), -1).max(axis=2)
    own = best.diagonal()
    return float((own - np.where(np.eye(len(WORLD), dtype=bool), -1, best).max(axis=1)).mean())


def test_the_table_has_the_recipes_dimension_and_nothing_for_the_unknown(
    files: dict[str, bytes], encoder: StaticEncoder
) -> None:
    from safetensors.numpy import load

    table = load(files["model.safetensors"])["embedding.weight"]
    assert table.dtype == np.float16
    assert table.shape[1] == encoder.dimension == RECIPE.dimension
    assert np.abs(table).max() == 1
    assert not table[0].any()
    assert f'"{UNKNOWN}":0' in files["tokenizer.json"].decode()
