"""The rules of a plan and the probes every planner should pass, on instances small enough to check by hand."""

import json
from fractions import Fraction

import pytest

from coordinator.planner.form import read_instance
from coordinator.planner.solve import solve
from coordinator.planner.verify import verify

MILLION = 10**6


def test_solve__bands_already_met__does_nothing(problem):
    answer = problem.token("U@a", 100).token("U@b", 0).lane("U@a", "U@b").keep("U@a", 50).solved()
    assert (answer.status, answer.legs, answer.hops, answer.cost) == ("optimal", (), 0, 0)


def test_solve__dear_fixed_edge_against_cheap_points__takes_the_points(problem):
    thousand = 1000 * MILLION
    problem.token("U@a", thousand).token("U@b").keep("U@b", 999 * MILLION)
    problem.lane("U@a", "U@b", fixed="50").lane("U@a", "U@b", rate="0.999")
    answer = problem.solved()
    assert [leg.lane for leg in answer.legs] == ["l2"]
    assert answer.status == "optimal"
    assert answer.cost <= 1


def test_solve__five_exact_pairs__needs_five_legs(problem):
    amounts = (101, 211, 307, 401, 503)
    for number, amount in enumerate(amounts):
        problem.token(f"U@s{number}", amount * MILLION).keep(f"U@s{number}", 0, 0)
        problem.token(f"U@d{number}").keep(f"U@d{number}", amount * MILLION, amount * MILLION)
    for i in range(5):
        for j in range(5):
            problem.lane(f"U@s{i}", f"U@d{j}", fixed="0.5")
    answer = problem.solved()
    assert (answer.status, answer.hops, answer.hops_bound, answer.violation) == ("optimal", 5, 5, 0)


def test_solve__three_ether_in_wei__is_exact(problem):
    wei = 3 * 10**18
    problem.token("E@a", wei, decimals=18, price="2500").token("E@b", decimals=18, price="2500")
    answer = problem.lane("E@a", "E@b", most=10**30).keep("E@b", wei).solved()
    assert answer.final["E@b"] == wei
    assert answer.violation == 0


def test_solve__three_billion_dollars__is_exact(problem):
    amount = 3 * 10**9 * MILLION
    problem.token("U@a", amount).token("U@b")
    answer = problem.lane("U@a", "U@b", most=10**20).keep("U@b", 2 * 10**9 * MILLION + 1).solved()
    assert answer.violation == 0
    assert answer.final["U@b"] >= 2 * 10**9 * MILLION + 1


def test_solve__capacity_half_of_need__is_partial_and_says_why(problem):
    problem.token("U@a", 1000 * MILLION).token("U@b")
    answer = problem.lane("U@a", "U@b", most=50 * MILLION).keep("U@b", 100 * MILLION).solved()
    assert (answer.status, answer.violation, answer.violation_bound) == ("partial", 50, 50)
    assert answer.unmet[0].target == "tokens/U@b"
    assert answer.unmet[0].short == 50
    assert "l1" in answer.unmet[0].why


def test_solve__two_sinks_below_the_minimum__overfills_where_bands_allow(problem):
    problem.token("U@a", 10 * MILLION).token("U@b").token("U@c")
    problem.keep("U@b", 900_000).keep("U@c", 600_000)
    answer = problem.lane("U@a", "U@b", least=MILLION).lane("U@a", "U@c", least=MILLION).solved()
    assert answer.violation == 0
    assert all(leg.gives >= MILLION for leg in answer.legs)


def test_solve__global_weights_and_swaps_everywhere__needs_no_hop(problem):
    for chain in "abc":
        problem.token(f"U@{chain}", 100 * MILLION).token(f"E@{chain}", 0, decimals=18, price="2000")
        problem.lane(f"U@{chain}", f"E@{chain}", rate="0.999").lane(f"E@{chain}", f"U@{chain}", rate="0.999", most=10**24)
    for one, other in (("a", "b"), ("b", "c"), ("c", "a")):
        problem.lane(f"U@{one}", f"U@{other}")
    answer = problem.share("assets", "E", "0.45", "0.55").share("assets", "U", "0.45", "0.55").solved()
    assert (answer.status, answer.hops, answer.hops_bound) == ("optimal", 0, 0)


def test_solve__value_needs_swap_then_bridge__orders_the_legs(problem):
    problem.token("E@a", 10**18, decimals=18, price="2000").token("U@a").token("U@b")
    problem.lane("U@a", "U@b", rate="0.9999").lane("E@a", "U@a", rate="0.999", most=10**24).keep("U@b", 500 * MILLION)
    answer = problem.solved()
    assert [leg.lane for leg in answer.legs] == ["l2", "l1"]
    assert [leg.after for leg in answer.legs] == [(), (0,)]
    assert answer.makespan_s == 120


def test_solve__opposite_swap_lanes__are_never_both_used(problem):
    problem.token("U@a", 1000 * MILLION).token("V@a", 1000 * MILLION).share("chains", "a", None, "0.999")
    answer = problem.lane("U@a", "V@a", rate="0.999").lane("V@a", "U@a", rate="0.999").solved()
    assert len(answer.legs) <= 1


def test_solve__turnover_limit__is_never_broken_and_named(problem):
    problem.token("U@a", 1000 * MILLION).token("U@b").lane("U@a", "U@b").keep("U@b", 100 * MILLION).limit(turnover="40")
    answer = problem.solved()
    assert (answer.status, answer.violation) == ("partial", 60)
    assert "turnover" in answer.unmet[0].why


def test_solve__cost_limit__is_never_broken_and_named(problem):
    problem.token("U@a", 1000 * MILLION).token("U@b").lane("U@a", "U@b", fixed="2").keep("U@b", 100 * MILLION).limit(cost="1")
    answer = problem.solved()
    assert (answer.status, answer.legs) == ("partial", ())
    assert "cost" in answer.unmet[0].why


def test_solve__legs_limit__serves_the_larger_need(problem):
    problem.token("U@a", 1000 * MILLION).token("U@b").token("U@c").lane("U@a", "U@b").lane("U@a", "U@c")
    answer = problem.keep("U@b", 100 * MILLION).keep("U@c", 30 * MILLION).limit(legs=1).solved()
    assert (answer.violation, len(answer.legs)) == (30, 1)


def test_solve__deadline_rules_out_the_slow_lane__pays_for_the_fast_one(problem):
    problem.token("U@a", 1000 * MILLION).token("U@b").keep("U@b", 100 * MILLION).limit(deadline_s=100)
    answer = problem.lane("U@a", "U@b", latency_s=900).lane("U@a", "U@b", latency_s=30, fixed="3").solved()
    assert [leg.lane for leg in answer.legs] == ["l2"]


def test_solve__deadline_rules_out_a_chain_of_legs__takes_the_direct_one(problem):
    problem.token("U@a", 1000 * MILLION).token("U@b").token("U@c").keep("U@c", 100 * MILLION).limit(deadline_s=100)
    problem.lane("U@a", "U@b", kind="swap", latency_s=60).lane("U@b", "U@c", kind="swap", latency_s=60)
    answer = problem.lane("U@a", "U@c", latency_s=90, fixed="5").solved()
    assert [leg.lane for leg in answer.legs] == ["l3"]
    assert answer.violation == 0


def test_solve__arriving_value__counts_but_cannot_be_given(problem):
    problem.token("U@a", 0).token("U@b").lane("U@a", "U@b").keep("U@a", 50 * MILLION).keep("U@b", 10 * MILLION)
    problem.document["arriving"] = {"U@a": str(100 * MILLION)}
    answer = problem.solved()
    assert (answer.legs, answer.violation) == ((), 10)
    assert answer.final["U@a"] == 100 * MILLION


def test_solve__convex_schedule__splits_across_pools(problem):
    problem.token("U@a", 1000 * MILLION).token("V@a").keep("V@a", 198 * MILLION)
    pieces = [{"up_to": str(100 * MILLION), "rate": "0.999"}, {"up_to": str(500 * MILLION), "rate": "0.98"}]
    for rail in ("p", "q"):
        problem.lane("U@a", "V@a", rail=rail, most=500 * MILLION, schedule=pieces)
    answer = problem.solved()
    assert len(answer.legs) == 2
    assert answer.cost < Fraction("0.21")


def test_solve__cap_reachable_only_by_burning__does_not_pretend(problem):
    """The relaxation could fill the worst segment first; a leg cannot."""
    problem.token("U@a", 1000 * MILLION).token("V@a").share("chains", "a", None, "0.97")
    pieces = [{"up_to": str(500 * MILLION), "rate": "0.99"}, {"up_to": str(1000 * MILLION), "rate": "0.9"}]
    answer = problem.lane("U@a", "V@a", most=1000 * MILLION, schedule=pieces).solved()
    assert answer.violation == 0
    assert 750 * MILLION <= answer.legs[0].gives <= 750 * MILLION + 100


def test_solve__lanes_in_a_circle__carry_no_more_than_is_there(problem):
    """A circulation of 18 would burn enough, but only 10 are there to begin with."""
    problem.token("U@a", 10 * MILLION).token("V@a").token("W@a").share("chains", "a", None, "0.5")
    problem.lane("U@a", "V@a", rate="0.9").lane("V@a", "W@a", rate="0.9").lane("W@a", "U@a", rate="0.9")
    answer = problem.solved()
    assert answer.violation == Fraction("2.29")


def test_solve__coarse_token__moves_whole_units(problem):
    problem.token("G@a", 5, decimals=0, price="1000").token("G@b", 0, decimals=0, price="1000").lane("G@a", "G@b", most=10)
    answer = problem.share("chains", "b", "0.3", "0.5").solved()
    assert (answer.status, answer.final["G@b"]) == ("optimal", 2)


def test_solve__single_base_unit__moves(problem):
    answer = problem.token("U@a", 1).token("U@b").lane("U@a", "U@b").keep("U@b", 1).solved()
    assert (answer.status, answer.final["U@b"]) == ("optimal", 1)


@pytest.mark.parametrize("price", ["0.000000000001", "1", "1000000"])
def test_solve__quadrillion_dollars__is_exact(problem, price):
    units = int(Fraction(10**15) / Fraction(price)) * 10**18
    problem.token("E@a", units, decimals=18, price=price).token("E@b", 0, decimals=18, price=price)
    answer = problem.lane("E@a", "E@b", rate="0.9997", most=10**60, fixed="1").keep("E@b", units // 3 + 1).solved()
    assert (answer.status, answer.violation) == ("optimal", 0)


def test_solve__gas_floor_beside_a_fortune__is_kept(problem):
    fortune = 10**12 * MILLION
    problem.token("U@a", fortune).token("U@b", fortune).token("G@b", 0, decimals=18, price="3000")
    problem.lane("U@b", "G@b", rate="0.997", fixed="0.1").keep("G@b", 10**16)
    answer = problem.solved()
    assert (answer.status, answer.violation, answer.hops) == ("optimal", 0, 0)


def test_solve__negative_limit__is_infeasible_with_a_reason(problem):
    problem.token("U@a", MILLION).token("U@b").lane("U@a", "U@b").keep("U@b", 1).limit(turnover="-1")
    answer = problem.solved()
    assert answer.status == "infeasible"
    assert "turnover" in answer.unmet[0].target


def test_solve__contradictory_band__says_so(problem):
    problem.token("U@a", 100 * MILLION).share("chains", "a", "0.9", "0.5")
    answer = problem.solved()
    assert answer.status == "partial"
    assert "above high" in answer.unmet[0].why


def test_solve__missing_asset__says_so(problem):
    answer = problem.token("U@a", 100 * MILLION).share("assets", "EURC", "0.2").solved()
    assert answer.status == "partial"
    assert "EURC" in answer.unmet[0].why


def test_solve__equal_inputs__give_equal_bytes(problem):
    for number in range(4):
        problem.token(f"U@c{number}", (number + 1) ** 3 * MILLION).share("chains", f"c{number}", "0.2", "0.3")
    for i in range(4):
        for j in range(4):
            if i != j:
                problem.lane(f"U@c{i}", f"U@c{j}", rate="0.9999", fixed=f"0.{i + j}")
    assert problem.solved().plan_text() == problem.solved().plan_text()


def test_solve__no_time__still_answers_with_valid_bounds(problem):
    problem.token("U@a", 100 * MILLION).token("U@b").lane("U@a", "U@b").keep("U@b", 50 * MILLION)
    answer = solve(read_instance(problem.document), 0.0)
    assert verify(problem.document, json.loads(answer.text())) == []
    assert answer.status == "partial"
    assert answer.violation_bound <= answer.violation


def test_solve__cost_limit_binds_with_loss__stops_just_below_it(problem):
    problem.token("U@a", 1000 * MILLION).token("V@a").lane("U@a", "V@a", rate="0.987654321", fixed="0.5")
    answer = problem.keep("V@a", 900 * MILLION).limit(cost="3").solved()
    assert Fraction("2.9999") < answer.cost <= 3
    assert "cost" in answer.unmet[0].why
