"""Service level objectives: what is promised, what was kept of it, and what of the budget is left."""
