"""Brings a journal to this program's schema with alembic; refuses one that is newer."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, inspect, text


class NewerJournal(Exception):
    """The journal was written by a later version of this program."""


def upgrade(engine: Engine) -> None:
    """Idempotent. Raises NewerJournal when the file's revision is not one this program knows."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    if _current(engine) == head:
        return  # the usual start: alembic's own machinery costs more than this look
    config.attributes["engine"] = engine
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise NewerJournal(
            f"the journal has schema {_current(engine)}, this program knows up to {head}: use a newer program ({problem})"
        ) from None


def _current(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.begin() as db:
        return cast("str | None", db.scalar(text("select version_num from alembic_version")))
