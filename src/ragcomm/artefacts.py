"""Models on disk: `<models>/<name>/<version>/` with a manifest, and `current.toml`, which says which is used.

Opening one refuses a file whose sha256 is not the manifest's and a model made for another text pipeline:
a threshold or a weight without the text it was fitted on is noise.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcomm.errors import ArtefactError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Artefact:
    """An opened and verified model: its folder, its version and what its manifest says."""

    name: str
    version: str
    folder: Path
    manifest: Mapping[str, Any]


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def current_version(models: Path, name: str) -> str:
    """The version of `name` that current.toml points to.

    Raises:
        ArtefactError: there is no current.toml or no such entry.
    """
    path = models / "current.toml"
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8"))[name])
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ArtefactError(f"{path} does not name a version of {name!r}: {error}") from error


def open_artefact(models: Path, name: str, *, pipeline: str, version: str | None = None) -> Artefact:
    """Verifies and opens a model.

    Raises:
        ArtefactError: missing, damaged, or made for another text pipeline than `pipeline`.
    """
    version = version or current_version(models, name)
    folder = models / name / version
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{folder / MANIFEST}: {error}") from error
    if not isinstance(manifest, dict) or not {"pipeline", "files"} <= set(manifest):
        raise ArtefactError(f"{folder / MANIFEST}: expected an object with 'pipeline' and 'files'")
    if manifest["pipeline"] != pipeline:
        raise ArtefactError(
            f"{name} {version} was made for text pipeline {manifest['pipeline']}, this is {pipeline}: "
            f"train it again (ragcomm train {name})"
        )
    for file, expected in manifest["files"].items():
        path = folder / file
        seen = sha256(path) if path.is_file() else "no such file"
        if seen != expected:
            raise ArtefactError(f"{path}: sha256 is {seen}, the manifest says {expected}")
    return Artefact(name, version, folder, manifest)


def save_artefact(
    models: Path, name: str, version: str, files: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> Artefact:
    """Writes a model aside, then moves it to its place in one step; an older one of that version goes."""
    parent = models / name
    parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=parent))
    for file, content in files.items():
        path = staging / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    full = {
        "name": name,
        "version": version,
        **manifest,
        "files": {file: sha256(staging / file) for file in sorted(files)},
    }
    (staging / MANIFEST).write_text(json.dumps(full, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    staging.chmod(0o755)
    folder = parent / version
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(staging, folder)
    return Artefact(name, version, folder, full)


def promote(models: Path, name: str, version: str) -> None:
    """Points current.toml at `version`, one line a model, sorted."""
    path = models / "current.toml"
    current = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    current[name] = version
    text = "".join(f'{key} = "{current[key]}"\n' for key in sorted(current))
    staging = path.with_suffix(".toml.tmp")
    staging.write_text(text, encoding="utf-8")
    os.replace(staging, path)
