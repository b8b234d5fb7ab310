"""Realistic data for demonstrations: `python -m app.seed --users 50 --months 6 --seed 1`."""

from app.seed.filling import Filled, fill

__all__ = ["Filled", "fill"]
