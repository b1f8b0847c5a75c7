"""Bad input on the command line, in the journal's file, and in planning instances."""

from __future__ import annotations

import pytest

from tests.localnet.bad_input.bench import APPLY, PLAN, STATUS, Case, Change, Treasury, nothing, refused

pytestmark = pytest.mark.localnet

ERROR, WRONG = 1, 2
VERIFY = ("audit", "verify")
SOLVE = ("solve", "{folder}/instance.json")
LOOK = "Nothing was started. What there is: coordinator"


def newer_journal(treasury: Treasury) -> None:
    treasury.sql("update alembic_version set version_num = '9999'")


def changed_event(treasury: Treasury) -> None:
    """Somebody who may write the file makes history say something else."""
    treasury.begin(give_up=True)
    treasury.sql("drop trigger event_no_update", "update event set at = at + 1 where number = 2")


def lost_event(treasury: Treasury) -> None:
    treasury.begin(give_up=True)
    treasury.sql("drop trigger event_no_delete", "delete from event where number = 1")


def instance(text: str) -> Change:
    return lambda treasury: (treasury.folder / "instance.json").write_text(text)


def no_database(treasury: Treasury) -> None:
    treasury.journal.write_bytes(b"this was a database once, before the disk failed. " * 100)


def folder_in_its_place(treasury: Treasury) -> None:
    treasury.journal.unlink()
    treasury.journal.mkdir()


CASES = (
    Case("unknown command", nothing, WRONG, ('Unknown command "stauts". Did you mean "status"?', LOOK), ("stauts",)),
    Case("unknown option", nothing, WRONG, ("Unknown option: --fast", "coordinator plan --help"), ("plan", "--fast")),
    Case("option of a wrong kind", nothing, WRONG, ("Invalid value for --deadline", LOOK), ("plan", "--deadline", "soon")),
    Case("option out of range", nothing, WRONG, ("--last. Must be >= 1", LOOK), ("ledger", "--last", "0")),
    Case("apply of nothing", nothing, WRONG, ("give either a plan file or --resume",), ("apply",)),
    Case("apply of both", nothing, WRONG, ("give either a plan file or --resume",), ("apply", "{plan}", "--resume")),
    Case("show of nothing", nothing, WRONG, ("requires an argument", "coordinator show --help"), ("show",)),
    Case("journal of a newer program", newer_journal, ERROR, ("schema 9999", "use a newer program"), STATUS),
    Case("apply on a newer journal", newer_journal, ERROR, ("schema 9999", "use a newer program"), APPLY),
    Case("journal that is no database", no_database, ERROR, ("journal.sqlite3: the journal cannot be used", "not a database"), PLAN),
    Case(
        "journal that is a folder", folder_in_its_place, ERROR, ("journal.sqlite3: the journal cannot be used", "Nothing was sent"), APPLY
    ),
    Case("journal with a changed event", changed_event, ERROR, ("event 2 was changed or replaced", "event 1"), VERIFY),
    Case("journal with a lost event", lost_event, ERROR, ("event 1 is missing",), VERIFY),
    Case("no instance", nothing, WRONG, ("instance.json: cannot be read",), SOLVE),
    Case("instance that is not JSON", instance("{"), WRONG, ("instance.json: not valid JSON",), SOLVE),
    Case("instance of another version", instance('{"version": 2}'), WRONG, ("instance.json: version: found 2",), SOLVE),
    Case("instance without tokens", instance('{"version": 1}'), WRONG, ("instance.json: tokens: missing",), SOLVE),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_command__wrong_words_or_files__is_refused_and_nothing_sent(case: Case, treasury: Treasury) -> None:
    outcome = refused(case, treasury)

    assert outcome.out == ""
    assert "Traceback" not in outcome.err
