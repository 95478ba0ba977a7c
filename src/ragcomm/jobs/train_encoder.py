"""Trains the static encoder on the corpora and, where they are at hand, the permissive public sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ragcomm.artefacts import Artefact, save_artefact
from ragcomm.corpora import form_split, is_test_message, load_entries, load_messages, load_near_misses, load_synonyms
from ragcomm.jobs.public_data import SHIPPABLE, available, chat_turns, rows
from ragcomm.knowledge.encoder_training import Recipe, train
from ragcomm.records import Entry, Label, Text

# Enough everyday chat to know what a question about health is not; more of it only slows training.
CHAT_TURNS = 6000


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
    groups = [
        [read(form) for form in training_forms(entry)]
        for file in ("faq/entries.jsonl", "claims/entries.jsonl")
        for entry in load_entries(corpora / file)
    ]
    chat = chat_turns(public, "valid")
    messages = [m for m in load_messages(corpora) if not is_test_message(m.id)]
    misses = [n.text for n in load_near_misses(corpora) if form_split(n.text) == "train"]
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
    files = train(groups, [*map(read, bystanders)], [*map(read, background)], recipe, on_epoch, synonyms)
    used = {name: SHIPPABLE[name] for name in available(public)}
    manifest = {"pipeline": pipeline, "recipe": asdict(recipe), "public_sets": used}
    wordings = sum(map(len, groups))
    files["MODEL_CARD.md"] = _card(version, recipe, len(groups), wordings, used).encode()
    artefact = save_artefact(models, "encoder", version, files, manifest)
    return Report(artefact=artefact, groups=len(groups), wordings=wordings, background=len(background))


def training_forms(entry: Entry) -> list[str]:
    """The question itself and the alternates of the train split."""
    return [entry.question, *(f for f in entry.forms[1:] if form_split(f) == "train")]


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
