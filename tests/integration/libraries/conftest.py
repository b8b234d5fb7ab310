"""The fixtures of the unit tests, for real servers."""

from tests.unit.libraries.conftest import _instrumentation_undone, recording, unsampled

__all__ = ["_instrumentation_undone", "recording", "unsampled"]
