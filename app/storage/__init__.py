"""The database: models, sessions, migrations."""

from app.storage.database import Database
from app.storage.models import Base, Budget, Transaction, User

__all__ = ["Base", "Budget", "Database", "Transaction", "User"]
