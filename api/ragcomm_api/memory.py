"""What a process does with its memory once everything is built."""

from __future__ import annotations

import ctypes
import gc
import sys


def settle() -> None:
    """What was built stays for good: the collector need not walk through it, the rest goes back to the system."""
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
