"""The ASGI side: what is done for each request around the application."""

from mita_otel.traces.request import identify_user

__all__ = ["identify_user"]
