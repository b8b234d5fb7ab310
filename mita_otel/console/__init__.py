"""The development console: OTLP in, SQLite, one page."""
