"""The planner: from holdings, bands and lanes to the legs with the fewest bridge hops, with a proof of how few are needed."""
