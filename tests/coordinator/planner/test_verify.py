"""The verifier must catch every broken rule: a sound plan is spoilt in one place at a time."""

import copy
import json

import pytest

from coordinator.planner.form import read_instance
from coordinator.planner.solve import solve
from coordinator.planner.verify import verify

MILLION = 10**6


@pytest.fixture
def sound(problem):
    problem.token("E@a", 10**18, decimals=18, price="2000").token("U@a").token("U@b")
    problem.lane("U@a", "U@b", rate="0.9999", fixed="0.5", most=900 * MILLION).lane("E@a", "U@a", rate="0.999", most=10**24)
    problem.keep("U@b", 500 * MILLION)
    answer = json.loads(solve(read_instance(problem.document)).text())
    assert verify(problem.document, answer) == []
    return problem.document, answer


def _set(path, value):
    def spoil(instance, answer):
        target = answer
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return spoil


SPOILT = {
    "unknown lane": _set(("legs", 0, "lane"), "nowhere"),
    "lane twice": lambda i, a: a["legs"].append(dict(a["legs"][0])),
    "gives too much": _set(("legs", 1, "gives"), str(901 * MILLION)),
    "takes one unit more": lambda i, a: a["legs"][1].update(takes=str(int(a["legs"][1]["takes"]) + 1)),
    "takes one unit less": lambda i, a: a["legs"][1].update(takes=str(int(a["legs"][1]["takes"]) - 1)),
    "order reversed": lambda i, a: a["legs"].reverse(),
    "does not wait": _set(("legs", 1, "after"), []),
    "waits for itself": _set(("legs", 1, "after"), [1]),
    "final off by one": lambda i, a: a["final"].update({"U@b": str(int(a["final"]["U@b"]) - 1)}),
    "violation hidden": _set(("violation",), "1"),
    "hops miscounted": _set(("hops",), 0),
    "cost understated": _set(("cost",), "0.1"),
    "hop bound above the plan": _set(("hops_bound",), 2),
    "cost bound above the plan": _set(("cost_bound",), "100000"),
    "violation bound above the plan": _set(("violation_bound",), "1"),
    "makespan wrong": _set(("makespan_s",), 60),
    "unknown status": _set(("status",), "perfect"),
    "optimal below its bound": _set(("hops_bound",), 0),
    "turnover limit broken": lambda i, a: i["limits"].update(turnover="100"),
    "cost limit broken": lambda i, a: i["limits"].update(cost="0.1"),
    "leg limit broken": lambda i, a: i["limits"].update(legs=1),
    "deadline broken": lambda i, a: i["limits"].update(deadline_s=100),
    "no legs at all": lambda i, a: a.pop("legs"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_verify__plan_spoilt_in_one_place__complains(sound, name):
    instance, answer = copy.deepcopy(sound[0]), copy.deepcopy(sound[1])
    SPOILT[name](instance, answer)
    assert verify(instance, answer)
