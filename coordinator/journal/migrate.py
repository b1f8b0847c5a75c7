"""Brings a journal to this program's schema with alembic; refuses one that is newer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Engine, inspect, text

from coordinator.exits import Ended

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  # the newest revision under migrations/versions; a test holds it to alembic's own answer


class NewerJournal(Ended):
    """The journal was written by a later version of this program."""


def upgrade(engine: Engine) -> None:
    """Idempotent. Raises NewerJournal when the file's revision is not one this program knows."""
    current = _current(engine)
    if current == HEAD:
        return  # the usual start, and alembic takes longer to import than the whole look
    from alembic import command
    from alembic.util import CommandError

    config = configuration()
    config.attributes["engine"] = engine
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise NewerJournal(f"the journal has schema {current}, this program knows up to {HEAD}: use a newer program ({problem})") from None


def configuration() -> Config:
    """Alembic's configuration of the migrations beside this file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _current(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.begin() as db:
        return cast("str | None", db.scalar(text("select version_num from alembic_version")))
