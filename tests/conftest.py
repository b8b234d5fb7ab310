"""Fixtures that every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.fixtures.servers"]

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("mita_otel", deadline=None)
settings.load_profile("mita_otel")
