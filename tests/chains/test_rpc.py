"""The pool's promises: trust domains are counted, the bar never falls, contradictions are kept, sends go once."""

from __future__ import annotations

import pytest
from aiohttp import web

from chains.endpoint import Refused
from chains.errors import RateLimited, Unknowable, Unreachable, WrongNetwork

from .conftest import MakePool, MakeScript


async def test_decide__two_addresses_of_one_operator__are_one_witness(make_script: MakeScript, make_pool: MakePool) -> None:
    one, two, three = await make_script(x=1), await make_script(x=1), await make_script(x=1)
    three.errors["x"] = {"code": -32000, "message": "busy"}
    with pytest.raises(Unknowable, match="2 trust domain"):
        await make_pool(one, two, three, quorum=2, domains="aab").decide("x", [])
    assert await make_pool(one, two, quorum=2, domains="ab").decide("x", []) == 1


async def test_decide__a_provider_is_lost__the_bar_stays(make_script: MakeScript, make_pool: MakePool) -> None:
    up, down = await make_script(x=1), await make_script(x=1)
    down.raw["x"] = lambda _: web.Response(status=503)
    with pytest.raises(Unknowable):
        await make_pool(up, down, quorum=2).decide("x", [])


async def test_decide__contradiction__unknowable_and_both_answers_on_record(make_script: MakeScript, make_pool: MakePool) -> None:
    pool = make_pool(await make_script(x=1), await make_script(x=2))
    with pytest.raises(Unknowable):
        await pool.decide("x", ["p"])
    assert pool.dispute_count == 1
    assert pool.disputes[0].params == '["p"]'
    assert sorted(answer[-3:] for answer in pool.disputes[0].answers) == [": 1", ": 2"]
    assert not pool.disputes[0].settled


async def test_decide__one_domain_contradicts_itself__it_has_no_vote(make_script: MakeScript, make_pool: MakePool) -> None:
    pool = make_pool(await make_script(x=1), await make_script(x=2), await make_script(x=1), quorum=2, domains="aab")
    with pytest.raises(Unknowable):
        await pool.decide("x", [])


async def test_decide__one_liar_among_three__majority_with_a_settled_dispute(make_script: MakeScript, make_pool: MakePool) -> None:
    pool = make_pool(await make_script(x=1), await make_script(x=1), await make_script(x=9), quorum=2)
    assert await pool.decide("x", []) == 1
    assert pool.disputes[0].settled


async def test_decide__null_against_a_value__absence_never_outvotes_and_is_no_dispute(make_script: MakeScript, make_pool: MakePool) -> None:
    empty, another, full = await make_script(), await make_script(), await make_script(x=1)
    assert await make_pool(empty, another, quorum=2).decide("x", []) is None
    pool = make_pool(empty, another, full, quorum=2)
    with pytest.raises(Unknowable):
        await pool.decide("x", [])
    assert pool.dispute_count == 0


async def test_decide__normal_form__drops_what_may_differ_and_refuses_wrong_shapes(make_script: MakeScript, make_pool: MakePool) -> None:
    pool = make_pool(await make_script(x="0xAB"), await make_script(x="0xab"), quorum=2)
    assert await pool.decide("x", [], str.lower) == "0xab"
    with pytest.raises(Unknowable, match="wrong shape"):
        await pool.decide("x", [], int)


async def test_decide__same_error_from_the_quorum__is_the_answer(make_script: MakeScript, make_pool: MakePool) -> None:
    one, two = await make_script(), await make_script()
    one.errors["x"] = {"code": 3, "message": "execution reverted", "data": "0x01"}
    two.errors["x"] = {"code": 3, "message": "VM Exception: revert", "data": "0x01"}
    with pytest.raises(Refused) as refusal:
        await make_pool(one, two, quorum=2).decide("x", [])
    assert (refusal.value.code, refusal.value.data) == (3, "0x01")


async def test_decide__a_silent_endpoint__does_not_hold_up_an_agreed_answer(make_script: MakeScript, make_pool: MakePool) -> None:
    silent = await make_script()
    silent.silent.add("x")
    pool = make_pool(await make_script(x=1), await make_script(x=1), silent, quorum=2, timeout=30.0)
    assert await pool.decide("x", []) == 1


async def test_poll__a_silent_endpoint__is_left_out_once_the_quorum_has_answered(make_script: MakeScript, make_pool: MakePool) -> None:
    silent = await make_script()
    silent.silent.add("x")
    pool = make_pool(await make_script(x=1), silent, await make_script(x=2), quorum=2, timeout=30.0)
    assert [answer.value for answer in await pool.poll("x", [])] == [1, 2]


async def test_decide__nobody_answers__says_the_most_telling_fault(make_script: MakeScript, make_pool: MakePool) -> None:
    limited, dead = await make_script(), await make_script()
    limited.errors["x"] = {"code": 429, "message": "slow down"}
    dead.url = "http://127.0.0.1:9/"
    with pytest.raises(RateLimited):
        await make_pool(limited, dead, quorum=2).decide("x", [])
    with pytest.raises(Unreachable):
        await make_pool(dead).decide("x", [])


async def test_observe__first_endpoint_is_dead__fails_over_and_stays_there(make_script: MakeScript, make_pool: MakePool) -> None:
    dead, alive = await make_script(), await make_script(x=1)
    dead.errors["x"] = {"code": -32603, "message": "broken"}
    pool = make_pool(dead, alive)
    assert await pool.observe("x", []) == 1
    assert await pool.observe("x", []) == 1
    assert dead.asked.count("x") == 1


async def test_broadcast__one_endpoint_fails__all_are_asked_once_and_each_answer_is_given(
    make_script: MakeScript, make_pool: MakePool
) -> None:
    scripts = [await make_script(send="ok") for _ in range(3)]
    scripts[1].errors["send"] = {"code": -32000, "message": "already known"}
    answers = await make_pool(*scripts).broadcast("send", ["raw"])
    assert [script.asked.count("send") for script in scripts] == [1, 1, 1]
    assert [answer.value for answer in answers] == ["ok", None, "ok"]
    assert isinstance(answers[1].fault, Refused)


async def test_broadcast__one_endpoint_is_of_another_network__nothing_is_sent(make_script: MakeScript, make_pool: MakePool) -> None:
    right, wrong = await make_script(send="ok"), await make_script(send="ok", net="elsewhere")
    with pytest.raises(WrongNetwork, match="'elsewhere'; the configuration says 'here'"):
        await make_pool(right, wrong).broadcast("send", [])
    assert "send" not in right.asked + wrong.asked


@pytest.mark.parametrize("ask", ["decide", "observe", "poll"])
async def test_read__wrong_network__is_never_believed(ask: str, make_script: MakeScript, make_pool: MakePool) -> None:
    wrong = await make_script(x=1, net="elsewhere")
    pool = make_pool(wrong)
    if ask == "poll":
        assert isinstance((await pool.poll("x", []))[0].fault, WrongNetwork)
    else:
        with pytest.raises(WrongNetwork):
            await getattr(pool, ask)("x", [])
    assert wrong.asked == ["net"]
