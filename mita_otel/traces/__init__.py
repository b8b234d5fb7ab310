"""Traces: the provider, the request's span, propagation between processes."""
