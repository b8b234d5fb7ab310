"""Reads what the console stores: pure queries over a read-only connection."""

from mita_otel.console.reading.reader import Reader

__all__ = ["Reader"]
