"""Slow queries: counted, marked on their spans, logged once a minute, ranked, and explained where that is asked for."""

from mita_otel.libraries.slow.capture import SlowQueries
from mita_otel.libraries.slow.table import SlowQuery, slow_queries

__all__ = ["SlowQueries", "SlowQuery", "slow_queries"]
