"""The database: models, sessions, migrations."""

from app.storage.database import Database
from app.storage.models import (
    Analytics,
    Base,
    Budget,
    Goal,
    GoogleAccount,
    GoogleLogin,
    Job,
    MonthlyTotal,
    Notification,
    PasswordReset,
    Purchase,
    Receipt,
    RefreshToken,
    Transaction,
    User,
)

__all__ = [
    "Analytics",
    "Base",
    "Budget",
    "Database",
    "Goal",
    "GoogleAccount",
    "GoogleLogin",
    "Job",
    "MonthlyTotal",
    "Notification",
    "PasswordReset",
    "Purchase",
    "Receipt",
    "RefreshToken",
    "Transaction",
    "User",
]
