"""What went wrong: categories and severities."""

from mita_otel.errors.taxonomy import Category, Kind, Severity, is_timeout, of_exception, of_status

__all__ = ["Category", "Kind", "Severity", "is_timeout", "of_exception", "of_status"]
