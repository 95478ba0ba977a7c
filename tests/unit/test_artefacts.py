"""A model on disk is opened only if it is whole, untouched, and made for this text pipeline."""

import json
from pathlib import Path

import pytest

from ragcomm.artefacts import current_version, open_artefact, promote, save_artefact, sha256
from ragcomm.errors import ArtefactError

# FIPS 180-4's own example.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
FILES = {"weights.bin": b"abc", "1_Part/config.json": b"{}"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """One model, saved and promoted."""
    save_artefact(tmp_path, "encoder", "7", FILES, {"pipeline": "1-aa", "trained_on": "药"})
    promote(tmp_path, "encoder", "7")
    return tmp_path


def test_a_saved_model_opens_with_its_manifest(models: Path) -> None:
    artefact = open_artefact(models, "encoder", pipeline="1-aa")
    assert (artefact.name, artefact.version, artefact.folder) == ("encoder", "7", models / "encoder/7")
    assert artefact.manifest["trained_on"] == "药"
    assert artefact.manifest["files"]["weights.bin"] == ABC
    assert sorted(artefact.manifest["files"]) == ["1_Part/config.json", "weights.bin"]
    assert (artefact.folder / "1_Part/config.json").read_bytes() == b"{}"


def test_saving_says_what_opening_will(models: Path) -> None:
    saved = save_artefact(models, "encoder", "8", FILES, {"pipeline": "1-bb"})
    assert open_artefact(models, "encoder", pipeline="1-bb", version="8") == saved


def test_a_digest_is_that_of_the_standard(models: Path) -> None:
    assert sha256(models / "encoder/7/weights.bin") == ABC


@pytest.mark.parametrize("file", sorted(FILES))
def test_a_file_with_another_digest_is_refused_by_name(models: Path, file: str) -> None:
    (models / "encoder/7" / file).write_bytes(b"abd")
    with pytest.raises(ArtefactError, match=rf"{file}: sha256 is [0-9a-f]{{64}}, the manifest says [0-9a-f]{{64}}"):
        open_artefact(models, "encoder", pipeline="1-aa")


def test_a_missing_file_is_refused_by_name(models: Path) -> None:
    (models / "encoder/7/weights.bin").unlink()
    with pytest.raises(ArtefactError, match=r"weights\.bin: sha256 is no such file"):
        open_artefact(models, "encoder", pipeline="1-aa")


def test_a_model_of_another_text_pipeline_is_refused_with_the_way_out(models: Path) -> None:
    with pytest.raises(ArtefactError, match=r"pipeline 1-aa, this is 1-ab: train it again \(ragcomm train encoder\)"):
        open_artefact(models, "encoder", pipeline="1-ab")


@pytest.mark.parametrize("content", [None, "", "not json"])
def test_a_missing_or_unreadable_manifest_is_refused(models: Path, content: str | None) -> None:
    manifest = models / "encoder/7/manifest.json"
    manifest.unlink() if content is None else manifest.write_text(content, encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"encoder/7/manifest\.json: "):
        open_artefact(models, "encoder", pipeline="1-aa")


@pytest.mark.parametrize("content", [{}, [], {"pipeline": "1-aa"}], ids=str)
def test_a_manifest_that_lacks_a_part_is_refused(models: Path, content: object) -> None:
    (models / "encoder/7/manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ArtefactError):
        open_artefact(models, "encoder", pipeline="1-aa")


@pytest.mark.parametrize("content", [None, "", "answers = '1'\n", "encoder = \n"])
def test_without_a_current_version_nothing_opens(models: Path, content: str | None) -> None:
    current = models / "current.toml"
    current.unlink() if content is None else current.write_text(content, encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"current\.toml does not name a version of 'encoder'"):
        open_artefact(models, "encoder", pipeline="1-aa")
    assert open_artefact(models, "encoder", pipeline="1-aa", version="7").version == "7"


def test_a_version_nobody_saved_is_refused(models: Path) -> None:
    promote(models, "encoder", "9")
    with pytest.raises(ArtefactError, match=r"encoder/9/manifest\.json"):
        open_artefact(models, "encoder", pipeline="1-aa")


def test_promoting_changes_one_line(models: Path) -> None:
    promote(models, "moderation", "3")
    promote(models, "answers", "20261122.1")
    promote(models, "encoder", "8")
    assert (models / "current.toml").read_text(encoding="utf-8") == (
        'answers = "20261122.1"\nencoder = "8"\nmoderation = "3"\n'
    )
    assert current_version(models, "encoder") == "8"
    assert sorted(path.name for path in models.iterdir()) == ["current.toml", "encoder"]


def test_saving_a_version_again_replaces_it_whole(models: Path) -> None:
    save_artefact(models, "encoder", "7", {"other.bin": b"abc"}, {"pipeline": "1-aa"})
    assert sorted(path.name for path in (models / "encoder/7").iterdir()) == ["manifest.json", "other.bin"]
    assert open_artefact(models, "encoder", pipeline="1-aa").manifest["files"] == {"other.bin": ABC}


def test_saving_leaves_nothing_aside_and_the_others_alone(models: Path) -> None:
    save_artefact(models, "encoder", "8", {"weights.bin": b"x"}, {"pipeline": "1-aa"})
    assert sorted(path.name for path in (models / "encoder").iterdir()) == ["7", "8"]
    assert open_artefact(models, "encoder", pipeline="1-aa").version == "7"
    assert (models / "encoder/8").stat().st_mode & 0o777 == 0o755
