"""Trains the static encoder on the corpora and, where they are at hand, the permissive public sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ragcomm.artefacts import Artefact, save_artefact
from ragcomm.corpora import (
    ENTRY_FILES,
    form_split,
    hash_share,
    is_test_message,
    load_entries,
    load_messages,
    load_near_misses,
    load_synonyms,
    training_forms,
)
from ragcomm.jobs.public_data import SHIPPABLE, available, chat_turns, rows
from ragcomm.knowledge.encoder_training import Recipe, train
from ragcomm.records import Label, Text
from ragcomm.text.encode import StaticEncoder

# Enough everyday chat to know what a question about health is not; more of it only slows training.
CHAT_TURNS = 6000
FOLDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was trained, on how much."""

    artefact: Artefact
    groups: int
    wordings: int
    background: int


def run(
    *,
    corpora: Path,
    models: Path,
    public: Path,
    read: Callable[[str], Text],
    pipeline: str,
    version: str,
    recipe: Recipe,
    on_epoch: Callable[[int, float], None],
) -> Report:
    """Trains and saves `models/encoder/<version>`; test and dev wordings are never seen."""
    texts = _gather(corpora, public, read)
    files = texts.train(recipe, on_epoch)
    used = {name: SHIPPABLE[name] for name in available(public)}
    manifest = {"pipeline": pipeline, "recipe": asdict(recipe), "public_sets": used}
    wordings = sum(map(len, texts.groups))
    files["MODEL_CARD.md"] = _card(version, recipe, len(texts.groups), wordings, used).encode()
    artefact = save_artefact(models, "encoder", version, files, manifest)
    return Report(artefact=artefact, groups=len(texts.groups), wordings=wordings, background=len(texts.background))


def fold(text: str) -> int:
    """The fold whose encoder has not seen this text."""
    return int(hash_share(f"fold:{text}") * FOLDS)


def fold_encoders(*, corpora: Path, public: Path, read: Callable[[str], Text]) -> list[StaticEncoder]:
    """For each fold an encoder that was trained without its wordings and near misses.

    To an encoder that has seen a wording it lies suspiciously close to its entry; a verifier trained on such pairs
    trusts nearness more than it may (hit@1 of far questions .90 instead of .93). The entries' own questions are in
    every fold.
    """
    found = []
    for hidden in range(FOLDS):
        files = _gather(corpora, public, read, hidden=hidden).train(Recipe(), lambda epoch, loss: None)
        with TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            found.append(StaticEncoder.open(Path(folder)))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """What an encoder learns from (see `knowledge.encoder_training.train`)."""

    groups: list[list[Text]]
    bystanders: list[Text]
    background: list[Text]
    synonyms: list[list[Text]]

    def train(self, recipe: Recipe, on_epoch: Callable[[int, float], None]) -> dict[str, bytes]:
        return train(self.groups, self.bystanders, self.background, recipe, on_epoch, self.synonyms)


def _gather(corpora: Path, public: Path, read: Callable[[str], Text], *, hidden: int | None = None) -> _Texts:
    """All texts of the train split, without the wordings and near misses of the fold `hidden`."""
    groups = []
    for file in ENTRY_FILES.values():
        for entry in load_entries(corpora / file):
            question, *alternates = training_forms(entry)
            groups.append([read(form) for form in (question, *(a for a in alternates if fold(a) != hidden))])
    chat = chat_turns(public, "valid")
    messages = [m for m in load_messages(corpora) if not is_test_message(m.id)]
    misses = [n.text for n in load_near_misses(corpora) if form_split(n.text) == "train" and fold(n.text) != hidden]
    bystanders = [
        *chat[:: max(1, len(chat) // CHAT_TURNS)],
        *misses,
        *(m.text for m in messages if not m.labels - {Label.SPAM, Label.ABUSE}),
    ]
    background = [
        *(m.text for m in messages),
        *(row["title"] for row in rows(public, "faq_toyhom_internal_med.jsonl")),
        *(e.answer for e in load_entries(corpora / "faq/entries.jsonl")),
    ]
    # A word that also means something else would draw two meanings together.
    synonyms = [[read(w) for w in group.words if w not in group.ambiguous] for group in load_synonyms(corpora)]
    return _Texts(
        groups=groups, bystanders=[*map(read, bystanders)], background=[*map(read, background)], synonyms=synonyms
    )


def _card(version: str, recipe: Recipe, groups: int, wordings: int, used: dict[str, str]) -> str:
    sources = "\n".join(f"- {source}" for source in used.values()) or "- none"
    return f"""# Encoder {version}

A static embedding (sentence-transformers `StaticEmbedding`, then `Normalize`): {recipe.dimension} numbers a term in
float16 for words, characters and character pairs; a text is the scaled sum of its terms. Its input is the string that
`ragcomm.text.encode.surface` makes of a text, not the raw text.

- **Use**: similarity of short Chinese health questions and claims; a feature of the moderation model.
- **Trained on**: {wordings} wordings of {groups} entries of `corpora/` (train split), groups of synonyms, plain chat
  as bystanders.
- **Public sets**, licence permitting:
{sources}
- **Recipe**: {recipe}
- **Limits**: no word order beyond pairs; words it never saw count nothing; drafted corpora, no clinician's review.

Figures on the test split are in `docs/benchmarks.md`.
"""
