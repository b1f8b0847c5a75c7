"""Plan files: written and read without a byte of difference; anything else is refused with what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.tokens import Amount
from coordinator.planfile import BadPlanFile, read, write
from tests.coordinator.made import ETH_A, NOON, USDC_A, USDC_B, leg, plan

PLAN = plan([leg(units=2**256 - 1, name="1"), replace(leg(ETH_A, USDC_A, 7, name="2"), terms={"fee_tier": "500"})])


def test_plan_file__written_read_and_written_again__is_byte_equal(tmp_path: Path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    write(PLAN, first)
    assert read(first) == PLAN
    write(read(first), second)
    assert second.read_bytes() == first.read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["first.json", "second.json"]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 2**256), min_size=1, max_size=4), st.integers(0, 2**40))
def test_plan_file__any_amounts__come_back_equal(tmp_path_factory, amounts, created):
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    made = plan([leg(units=units, name=str(number)) for number, units in enumerate(amounts)], created=created)
    write(made, path)
    assert read(path) == made


def edited(tmp_path: Path, change) -> Path:
    path = tmp_path / "plan.json"
    write(PLAN, path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


EDITS = {
    "amount": lambda d: d["plan"]["legs"][0]["leg"]["gives"].update(units="1"),
    "least": lambda d: d["plan"]["legs"][0]["leg"]["least"].update(units="0"),
    "recipient": lambda d: d["plan"]["legs"][0]["leg"].update(recipient=f"{USDC_B.chain}:0x{'0' * 39}1"),
    "expiry": lambda d: d["plan"].update(expires=NOON + 10**6),
    "terms": lambda d: d["plan"]["legs"][1]["leg"]["terms"].update(fee_tier="100"),
    "a leg left out": lambda d: d["plan"]["legs"].pop(),
    "its own hash": lambda d: d["plan"].update(id="0" * 64),
}


@pytest.mark.parametrize("name", EDITS)
def test_read__edited_since_it_was_made__is_refused(tmp_path, name):
    with pytest.raises(BadPlanFile, match=r"edited|damaged"):
        read(edited(tmp_path, EDITS[name]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema="coordinator/plan@9"), "coordinator/plan@9"),
        (lambda d: d["plan"].pop("legs"), "legs"),
        (lambda d: d["plan"].update(bonus=1), "bonus"),
        (lambda d: d.update(plan=None), "make a new plan"),
    ],
    ids=["other schema", "key missing", "key unknown", "no plan"],
)
def test_read__not_a_plan_of_this_program__says_what_is_wrong(tmp_path, change, said):
    with pytest.raises(BadPlanFile, match=said):
        read(edited(tmp_path, change))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"plan"'])
def test_read__no_json_or_no_object__is_refused(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(BadPlanFile, match="plan"):
        read(path)


def test_read__no_file__says_how_to_make_one(tmp_path):
    with pytest.raises(BadPlanFile, match="coordinator plan --out"):
        read(tmp_path / "none.json")


def test_write__existing_file__is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("something longer than nothing")
    write(PLAN, path)
    assert read(path).legs[0].leg.gives == Amount(USDC_A, 2**256 - 1)


def test_read__a_folder__says_what_to_name(tmp_path):
    with pytest.raises(BadPlanFile, match="cannot be read: Is a directory; name a plan file"):
        read(tmp_path)


def test_write__place_that_cannot_be_written__is_refused(tmp_path):
    (tmp_path / "plan.json").mkdir()
    for place in (tmp_path / "plan.json", tmp_path / "none" / "plan.json"):
        with pytest.raises(BadPlanFile, match="cannot be written"):
            write(PLAN, place)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]  # no draft is left behind
