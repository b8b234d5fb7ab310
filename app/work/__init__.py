"""Background work: what requests leave behind in tables, done by every process beside its requests."""
