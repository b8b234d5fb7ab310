"""Counts that all replicas share through Redis: by the minute for a day, by the hour for a month."""

from mita_otel.slo.shared.source import RedisSource

__all__ = ["RedisSource"]
