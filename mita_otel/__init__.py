"""An OpenTelemetry-first distribution for FastAPI services on PostgreSQL and Redis."""
