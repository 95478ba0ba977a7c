"""Trains the static encoder: latent semantic analysis first, then contrast between wordings.

One vector a term (words, characters, character pairs), summed and scaled to length one. Two random wordings of an
entry attract each other; the wordings of other entries in the batch and lines of plain chat repel
(InfoNCE, van den Oord et al. 2018). Needs the extra `train`. The result is saved as a sentence-transformers
model (`StaticEmbedding` and `Normalize`).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import MissingExtra
from ragcomm.records import Text
from ragcomm.text.encode import UNKNOWN, terms

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the result besides the texts."""

    dimension: int = 256
    most_terms: int = 27000
    least_documents: int = 2
    epochs: int = 60
    batch: int = 128
    bystanders: int = 96
    synonyms: int = 32
    temperature: float = 0.05
    rate: float = 2e-3
    dropped: float = 0.15
    seed: int = 7


Epoch = Callable[[int, float], None]


def train(
    groups: Sequence[Sequence[Text]],
    bystanders: Sequence[Text],
    background: Sequence[Text],
    recipe: Recipe,
    on_epoch: Epoch = lambda epoch, loss: None,
    synonyms: Sequence[Sequence[Text]] = (),
) -> dict[str, bytes]:
    """Returns the files of the model.

    `groups` are wordings of one meaning each, `bystanders` texts that mean none of them, `background`
    further text for the vocabulary and the starting point, `synonyms` groups of words that mean the same.
    """
    try:
        import torch
        from sklearn.decomposition import TruncatedSVD
    except ImportError as error:
        raise MissingExtra("train", "torch") from error
    torch.manual_seed(recipe.seed)
    chance = np.random.default_rng(recipe.seed)
    everything = [*(t for g in groups for t in g), *bystanders, *(t for g in synonyms for t in g), *background]
    vocabulary, idf = _vocabulary(everything, [t for g in groups for t in g], recipe)
    bags = [_bag(text, vocabulary) for text in everything]
    start = _latent(bags, idf, recipe, TruncatedSVD)
    sizes = np.cumsum([0, *(len(g) for g in groups)])
    ours = [bags[sizes[i] : sizes[i + 1]] for i in range(len(groups))]
    others = bags[sizes[-1] : sizes[-1] + len(bystanders)]
    first = sizes[-1] + len(bystanders)
    places = np.cumsum([first, *(len(g) for g in synonyms)])
    alike = [bags[places[i] : places[i + 1]] for i in range(len(synonyms))]
    table = _contrast(torch, ours, alike, others, start, idf, recipe, chance, on_epoch)
    return _files(vocabulary, table)


def _vocabulary(
    texts: Sequence[Text], own: Sequence[Text], recipe: Recipe
) -> tuple[dict[str, int], NDArray[np.float32]]:
    """The terms worth a row: those that most of the entries' wordings share, then the most frequent of all."""
    frequency: Counter[str] = Counter()
    for text in texts:
        frequency.update(set(terms(text)))
    near: Counter[str] = Counter()
    for text in own:
        near.update(set(terms(text)))
    kept = [t for t, n in frequency.items() if n >= recipe.least_documents]
    kept.sort(key=lambda t: (-near[t] if near[t] > 1 else 0, -frequency[t], t))
    kept = [UNKNOWN, *kept[: recipe.most_terms - 1]]
    idf = np.log((1 + len(texts)) / (1 + np.array([frequency[t] for t in kept]))) + 1
    idf[0] = 0.0
    return {term: row for row, term in enumerate(kept)}, idf.astype(np.float32)


def _bag(text: Text, vocabulary: dict[str, int]) -> NDArray[np.int64]:
    return np.array([r for t in terms(text) if (r := vocabulary.get(t)) is not None], np.int64)


def _latent(
    bags: Sequence[NDArray[np.int64]], idf: NDArray[np.float32], recipe: Recipe, svd: Any
) -> NDArray[np.float32]:
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    columns = np.concatenate(bags)
    starts = np.cumsum([0, *(len(b) for b in bags)])
    matrix = csr_matrix((idf[columns], columns, starts), (len(bags), len(idf)))
    matrix.sum_duplicates()
    model = svd(recipe.dimension, random_state=recipe.seed, n_iter=4)
    model.fit(normalize(matrix))
    result: NDArray[np.float32] = (model.components_.T * 3).astype(np.float32)
    return result


def _contrast(
    torch: Any,
    groups: Sequence[Sequence[NDArray[np.int64]]],
    synonyms: Sequence[Sequence[NDArray[np.int64]]],
    bystanders: Sequence[NDArray[np.int64]],
    start: NDArray[np.float32],
    idf: NDArray[np.float32],
    recipe: Recipe,
    chance: np.random.Generator,
    on_epoch: Epoch,
) -> NDArray[np.float32]:
    table = torch.nn.Parameter(torch.from_numpy(start))
    volume = torch.nn.Parameter(torch.zeros(len(idf)))
    weight = torch.from_numpy(idf)
    optimizer = torch.optim.Adam([table, volume], lr=recipe.rate)

    def encode(bags: Sequence[NDArray[np.int64]], dropped: float = 0.0) -> Any:
        kept = [b[chance.random(len(b)) >= dropped] if dropped else b for b in bags]
        kept = [k if len(k) else b for k, b in zip(kept, bags, strict=True)]
        flat = torch.from_numpy(np.concatenate(kept))
        offsets = torch.from_numpy(np.cumsum([0, *(len(k) for k in kept[:-1])]))
        scale = (weight * torch.exp(volume))[flat]
        summed = torch.nn.functional.embedding_bag(flat, table, offsets, mode="sum", per_sample_weights=scale)
        return torch.nn.functional.normalize(summed, dim=1)

    usable = [[b for b in group if len(b)] for group in (*groups, *synonyms)]
    owners = [i for i, group in enumerate(usable[: len(groups)]) if len(group) > 1]
    words = [i for i, group in enumerate(usable) if i >= len(groups) and len(group) > 1]
    others = [b for b in bystanders if len(b)]
    steps = max(1, sum(len(g) for g in usable[: len(groups)]) // (2 * recipe.batch))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps * recipe.epochs + 1)
    for epoch in range(recipe.epochs):
        total = 0.0
        for _ in range(steps):
            picked = [
                *chance.choice(owners, min(recipe.batch, len(owners)), replace=False),
                *chance.choice(words, min(recipe.synonyms, len(words)), replace=False),
            ]
            pairs = [chance.choice(len(usable[i]), 2, replace=False) for i in picked]
            a = encode([usable[i][p[0]] for i, p in zip(picked, pairs, strict=True)], recipe.dropped)
            b = encode([usable[i][p[1]] for i, p in zip(picked, pairs, strict=True)])
            scores = a @ torch.cat([b, *_far(encode, others, recipe, chance)]).T
            target = torch.arange(len(picked))
            loss = torch.nn.functional.cross_entropy(scores / recipe.temperature, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        on_epoch(epoch, total / steps)
    final = table.detach().numpy() * (idf * np.exp(volume.detach().numpy()))[:, None]
    # One scale for all rows keeps float16 in its best range; direction is all that counts.
    result: NDArray[np.float32] = final / np.abs(final).max()
    return result


def _far(encode: Any, others: Sequence[NDArray[np.int64]], recipe: Recipe, chance: Any) -> list[Any]:
    if not others:
        return []
    drawn = chance.choice(len(others), min(recipe.bystanders, len(others)), replace=False)
    return [encode([others[i] for i in drawn])]


def _files(vocabulary: dict[str, int], table: NDArray[np.float32]) -> dict[str, bytes]:
    """The model in the layout that `SentenceTransformer(folder)` loads."""
    from safetensors.numpy import save
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    return {
        "modules.json": json.dumps(modules, indent=1).encode(),
        "tokenizer.json": tokenizer.to_str(pretty=False).encode(),
        "model.safetensors": save({"embedding.weight": table.astype(np.float16)}),
    }
