"""Tables."""

from app.storage.models.people import GoogleAccount, GoogleLogin, PasswordReset, RefreshToken, User
from app.storage.models.spending import Budget, Goal, Purchase, Receipt, Transaction
from app.storage.models.types import Base, Moment, Money, Total
from app.storage.models.work import Analytics, Claimable, Job, MonthlyTotal, Notification

__all__ = [
    "Analytics",
    "Base",
    "Budget",
    "Claimable",
    "Goal",
    "GoogleAccount",
    "GoogleLogin",
    "Job",
    "Moment",
    "Money",
    "MonthlyTotal",
    "Notification",
    "PasswordReset",
    "Purchase",
    "Receipt",
    "RefreshToken",
    "Total",
    "Transaction",
    "User",
]
