"""Normal text to words: jieba's dictionary and ours, cut by rjieba or, where it is missing, by jieba.

Both engines cut without HMM, so that the same dictionary gives the same words. Neither is global: each
`Segmenter` owns its tokenizer (`jieba.add_word` would change every other user of jieba in the process).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType

from ragcomm.records import Text
from ragcomm.text.normalize import normalize

# One fixed frequency for every term of ours: above nearly all of jieba's compounds, so that a term
# wins over its pieces, and equal in both engines, which would each suggest another one.
TERM_FREQUENCY = 2000


class Segmenter:
    """Cuts normal text into words that cover it without gaps."""

    def __init__(self, terms: Iterable[str] = (), *, engine: str | None = None) -> None:
        """`engine` is "rjieba" or "jieba"; None takes rjieba where it is installed."""
        self.engine = engine or ("rjieba" if find_spec("rjieba") else "jieba")
        # Only normal text is ever cut: a term in other writing would never be met.
        self.terms = frozenset(normalize(term)[0] for term in terms)
        self._cut = _rjieba(self.terms) if self.engine == "rjieba" else _jieba(self.terms)

    def cut(self, normal: str) -> list[str]:
        """The words of `normal`, in order; joined they are `normal` again."""
        return self._cut(normal)

    def read(self, raw: str) -> Text:
        """Normalises and cuts a raw text."""
        normal, offsets, tricks = normalize(raw)
        return Text(raw, normal, offsets, tuple(self._cut(normal)), tricks)


def _rjieba(terms: Iterable[str]) -> Callable[[str], list[str]]:
    tokenizer = _rjieba_extension().Jieba()
    for term in sorted(terms):
        tokenizer.add_word(term, TERM_FREQUENCY, "n")
    cut = tokenizer.cut
    return lambda normal: cut(normal, False)


def _rjieba_extension() -> ModuleType:
    """The compiled module alone: the package around it builds a global tokenizer nobody here uses (25 MB)."""
    package = find_spec("rjieba")
    if package is None or not package.submodule_search_locations:
        raise ImportError("rjieba is not installed")
    spec = PathFinder.find_spec("rjieba", list(package.submodule_search_locations))
    if spec is None or spec.loader is None:
        raise ImportError("rjieba has no compiled module")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _jieba(terms: Iterable[str]) -> Callable[[str], list[str]]:
    import warnings

    with warnings.catch_warnings():
        # jieba 0.42 asks the deprecated pkg_resources for its own files; it works without it.
        warnings.filterwarnings("ignore", message=".*pkg_resources.*")
        warnings.filterwarnings("ignore", category=SyntaxWarning)
        import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # Its cache is a marshalled file in the shared temporary folder unless told otherwise.
    private = Path.home() / ".cache" / "ragcomm"
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    tokenizer.tmp_dir = str(private)
    tokenizer.initialize()
    for term in sorted(terms):
        # jieba adds the frequency of a word it knows a second time to the total; rjieba does not.
        tokenizer.total -= tokenizer.FREQ.get(term, 0)
        tokenizer.add_word(term, TERM_FREQUENCY, "n")
    return lambda normal: list(tokenizer.cut(normal, HMM=False))
