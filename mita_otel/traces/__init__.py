"""Traces: the provider, the request's span, propagation between processes, work in the background."""

from mita_otel.traces.background import current_traceparent, linked_work, unobserved

__all__ = ["current_traceparent", "linked_work", "unobserved"]
