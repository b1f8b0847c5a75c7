"""Malformed instances: one clear complaint each, naming the field, what was found and what is allowed."""

import pytest

from coordinator.planner.form import InstanceError, read_instance

CASES = [
    (lambda d: d.update(version=2), "version"),
    (lambda d: d.pop("tokens"), "tokens"),
    (lambda d: d["tokens"][0].update(price="0"), "above zero"),
    (lambda d: d["tokens"][0].update(price=1.5), "decimal string"),
    (lambda d: d["holdings"].update({"U@a": "-1"}), "zero or more"),
    (lambda d: d["holdings"].update({"X@a": "1"}), "holdings.X@a"),
    (lambda d: d["lanes"][0].update(source="X@a"), "lanes.0.source"),
    (lambda d: d["lanes"][0].update(target="U@a"), "two different tokens"),
    (lambda d: d["lanes"][0].update(kind="ferry"), "kind"),
    (lambda d: d["lanes"][0].update(schedule=[]), "schedule"),
    (lambda d: d["lanes"][0].update(schedule=[{"up_to": "5", "rate": "0.9"}, {"up_to": "9", "rate": "1"}]), "rate rises"),
    (lambda d: d["lanes"][0].update(schedule=[{"up_to": "5", "rate": "1"}, {"up_to": "5", "rate": "0.9"}]), "rising"),
    (lambda d: d["lanes"].append(dict(d["lanes"][0])), "share an id"),
    (lambda d: d["targets"].update(asset={}), "asset"),
    (lambda d: d["targets"]["tokens"].update({"U@a": {"low": "1"}}), "low"),
    (lambda d: d["limits"].update(turnovr="1"), "turnovr"),
]


@pytest.mark.parametrize(("spoil", "said"), CASES)
def test_read_instance__malformed_field__is_named(problem, spoil, said):
    document = problem.token("U@a", 100).token("U@b").lane("U@a", "U@b").document
    spoil(document)
    with pytest.raises(InstanceError, match=said):
        read_instance(document)
