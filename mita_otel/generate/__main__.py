"""`python -m mita_otel.generate` renews every generated file below the current folder."""

from pathlib import Path

from mita_otel.generate import write

write(Path.cwd())
