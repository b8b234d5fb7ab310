"""Metrics: provider, Views, limits, and what the process says of itself."""
