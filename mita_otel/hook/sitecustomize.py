"""Python runs this before a program whose path begins with this folder, as `mita-instrument` lets it begin."""

from mita_otel import hook

hook.initialize()
