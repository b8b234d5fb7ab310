"""What ends a measurement; each message is for the person who started it."""


class MeasurementError(Exception):
    """There is nothing to measure."""


class LoadError(MeasurementError):
    """The service answered something else than 200, or nothing."""


class ServerError(MeasurementError):
    """The service did not start, or did not end; the message has what it printed."""


class SinkError(MeasurementError):
    """Telemetry keeps coming long after the last request."""
