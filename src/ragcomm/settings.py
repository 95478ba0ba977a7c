"""Everything that can be set from outside, read from the environment once and nowhere else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(name: str) -> Path:
    """The folder `corpora` or `models`: that of the checkout, or the copy inside an installed wheel.

    A checkout comes first: an editable install leaves the wheel's copy out.
    """
    checkout = _PACKAGE.parent.parent
    project = checkout / "pyproject.toml"
    if (checkout / name).is_dir() and project.is_file():
        with project.open("rb") as file:
            if tomllib.load(file).get("project", {}).get("name") == "ragcomm":
                return checkout / name
    return _PACKAGE / "_shipped" / name


class Settings(BaseSettings):
    """Settings of the service and the command line; each is the variable RAGCOMM_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="RAGCOMM_", extra="ignore")

    database_url: str = "sqlite:///ragcomm.sqlite3"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    corpora: Path = Field(default_factory=lambda: shipped_folder("corpora"))
    models: Path = Field(default_factory=lambda: shipped_folder("models"))
    public_data: Path = Path("data/public")
    bootstrap_key: SecretStr | None = None
    segmenter: str | None = None
    # What entries on safety, illness, women, children, old people, herbs and medicines need before they answer
    # without a person.
    review: Literal["clinician", "any"] = "clinician"
    # A queue this long is two to three seconds of writing on a slow disk.
    queue_length: Annotated[int, Field(ge=1)] = 4096
    most_body_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    most_text_characters: Annotated[int, Field(ge=1)] = 20_000
    most_messages: Annotated[int, Field(ge=1)] = 1000
    # An entry stands in a group for so long before it is posted again: most questions come back within minutes, and the
    # answer is still on the screen. Zero posts it every time.
    answer_cooldown_s: Annotated[float, Field(ge=0)] = 600.0
    # After five minutes a group speaks of something else. Zero answers however late.
    answer_lateness_s: Annotated[float, Field(ge=0)] = 300.0
    log_level: str = "info"
