"""SQLAlchemy 2.0 and 2.1, sync and async: executions, pools, transactions, and whether the database answers."""

from mita_otel.libraries.sqlalchemy.engines import endpoint
from mita_otel.libraries.sqlalchemy.executions import instrument

__all__ = ["endpoint", "instrument"]
