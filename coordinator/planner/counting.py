"""Whole numbers of bridges into and out of each chain: few and telling things for the solver to branch on."""

from coordinator.planner.model import FlowModel


def count_by_chain(model: FlowModel, most: int) -> None:
    """Add the counts as integer columns of at most `most` (the hops held to): that changes no plan."""
    chain = [token.chain for token in model.network.instance.tokens]
    groups: dict[tuple[str, bool], list[int]] = {}
    for arc, columns in zip(model.arcs, model.columns):
        if arc.bridge:
            groups.setdefault((chain[arc.source], False), []).append(columns.use)
            groups.setdefault((chain[arc.target], True), []).append(columns.use)
    for uses in groups.values():
        number = model.program.column(0.0, float(most), integer=True)
        model.program.row(0.0, 0.0, [*((use, 1.0) for use in uses), (number, -1.0)])
