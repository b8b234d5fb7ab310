"""Graceful degradation: feature flags, and features that their users get less of rather than nothing."""

from mita_otel.degradation.feature import Feature, FeatureOffError, Note, Served, notes
from mita_otel.degradation.flags import FlagsError, context, decide_by, feature_flag, is_on, use_file, use_provider
from mita_otel.degradation.kept import MemoryStore, Store
from mita_otel.degradation.modes import Cause, Mode

__all__ = [
    "Cause",
    "Feature",
    "FeatureOffError",
    "FlagsError",
    "MemoryStore",
    "Mode",
    "Note",
    "Served",
    "Store",
    "context",
    "decide_by",
    "feature_flag",
    "is_on",
    "notes",
    "use_file",
    "use_provider",
]
