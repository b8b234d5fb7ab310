"""Breakers of other libraries, told of by the same metrics and events: one module a library, which must be installed.

from mita_otel.breakers.adapters.pybreaker import watch

watch(breaker, "payments")
"""
