"""How a command's failures are told: one line of what, one of what next, and the exit code that fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.errors import Fault, Misconfigured, Reverted, SendInDoubt, Unreachable, WrongNetwork
from coordinator.commands.session import Session, perform
from coordinator.exits import Ended, Exit
from coordinator.show.output import Output
from tests.coordinator.rehearsal import ADDRESS, TEXT, USDC_A, USDC_B


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "treasury.yaml"
    path.write_text(TEXT.format(folder=tmp_path, world="told", address=ADDRESS, usdc_a=USDC_A, usdc_b=USDC_B, latency=5))
    return path


def told(file: Path, problem: Exception, capsys: pytest.CaptureFixture[str], *, acting: bool = False) -> tuple[Exit, str]:
    async def work(session: Session) -> Exit:
        session.acting = acting
        raise problem

    code = perform(file, Output(as_json=True), work)
    streams = capsys.readouterr()
    assert streams.out == ""
    return code, streams.err


@pytest.mark.parametrize(
    ("fault", "code", "following"),
    [
        (Unreachable("no answer"), Exit.ERROR, "Nothing was sent. Try again"),
        (Reverted("no"), Exit.ERROR, "Nothing was sent. Make a new plan"),
        (SendInDoubt("who knows"), Exit.ERROR, "It may have happened. Look with: coordinator transfers"),
        (Misconfigured("wrong key"), Exit.USAGE, "Nothing was sent. Mend what is said above"),
        (WrongNetwork("another chain"), Exit.USAGE, "Nothing was sent. Mend what is said above"),
    ],
)
def test_perform__fault__says_what_and_what_next(
    file: Path, capsys: pytest.CaptureFixture[str], fault: Fault, code: Exit, following: str
) -> None:
    exit_code, err = told(file, fault, capsys)

    assert exit_code == code
    assert err.startswith(f"{fault}\n{following}")


@pytest.mark.parametrize("problem", [Unreachable("no answer"), Misconfigured("a"), OSError(28, "No space left on device")])
def test_perform__fault_once_a_plan_was_begun__never_says_that_nothing_was_sent(
    file: Path, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    code, err = told(file, problem, capsys, acting=True)

    assert code == Exit.ERROR
    assert "Nothing was sent" not in err
    assert "go on with: coordinator apply --resume" in err


def test_perform__error_of_the_system__names_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, err = told(file, OSError(28, "No space left on device", "/var/journal"), capsys)

    assert code == Exit.ERROR
    assert err.startswith("/var/journal: No space left on device\nNothing was sent.")


def test_perform__ended__carries_its_own_code(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Worn(Ended):
        code = Exit.STALE

    assert told(file, Worn("too old"), capsys) == (Exit.STALE, "too old\n")


def test_perform__bug__is_not_hidden(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        told(file, ZeroDivisionError("a bug"), capsys)


def test_perform__stopped_by_the_person__says_how_to_go_on(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(session: Session) -> Exit:
        raise KeyboardInterrupt

    assert perform(file, Output(as_json=False), work) == Exit.RUNNING
    assert "coordinator apply --resume" in capsys.readouterr().err
