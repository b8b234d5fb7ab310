"""What MITA Finance does for its users. Source: observability report, sections 2.4, 6.1 #1 and 7.2."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import DURATIONS
from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, closed

OTHER: Final = "other"
"""Stands for every value that a closed set does not have."""

PROCESSING: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0)
"""Seconds; work that a user waits for beside the request. Holds the thresholds of the report's 7.2 (3, 5 and 10 s)."""

DELIVERIES: Final = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds; a notification is due within 300. Source: observability report, section 7.2, Notifications."""

_OUTCOME: Final = closed("status", "success", "failed")
_CATEGORY: Final = closed(
    "category",
    *("food", "housing", "transport", "health", "entertainment", "education", "shopping", "savings"),
    OTHER,
)

TRANSACTIONS_CREATED: Final = Counter(
    name="mita.transactions.created",
    unit="{transaction}",
    description="Transactions stored, by the way they came in and what was paid for.",
    source=OURS,
    attributes=(closed("type", "expense", "bulk", "receipt", OTHER), _CATEGORY),
)
TRANSACTIONS: Final = Counter(
    name="mita.transactions",
    unit="{transaction}",
    description="Attempts to store, change or delete a transaction.",
    source=OURS,
    attributes=(closed("status", "success", "failed", "rejected", OTHER),),
)
TRANSACTION_AMOUNT: Final = Counter(
    name="mita.transaction.amount",
    unit="{USD}",
    description="Worth of the transactions stored, in US dollars where the rate is known.",
    source=OURS,
    attributes=(_CATEGORY,),
)
CURRENCY_CONVERSIONS: Final = Counter(
    name="mita.currency.conversions",
    unit="{conversion}",
    description="Amounts converted into a user's own currency, by where the rate came from.",
    source=OURS,
    attributes=(closed("source", "cache", "api", "unavailable", OTHER),),
)
BUDGET_CALCULATIONS: Final = Counter(
    name="mita.budget_calculations",
    unit="{calculation}",
    description="Budgets worked out for a dashboard.",
    source=OURS,
    attributes=(_OUTCOME,),
)
BUDGET_CALCULATIONS_DURATION: Final = Histogram(
    name="mita.budget_calculations.duration",
    unit="s",
    description="Time to work out a budget.",
    source=OURS,
    buckets=DURATIONS,
)
BUDGETS_EXCEEDED: Final = Counter(
    name="mita.budgets.exceeded",
    unit="{budget}",
    description="Budgets that a transaction took beyond their limit.",
    source=OURS,
    attributes=(_CATEGORY,),
)
OCR_PROCESSING: Final = Counter(
    name="mita.ocr_processing",
    unit="{receipt}",
    description="Receipts read.",
    source=OURS,
    attributes=(closed("status", "success", "failed", "rejected", OTHER),),
)
OCR_PROCESSING_DURATION: Final = Histogram(
    name="mita.ocr_processing.duration",
    unit="s",
    description="Time to read a receipt.",
    source=OURS,
    attributes=(closed("status", "success", "failed", "rejected", OTHER),),
    buckets=PROCESSING,
)
AI_INSIGHTS_GENERATED: Final = Counter(
    name="mita.ai_insights.generated",
    unit="{insight}",
    description="Insights shown to users.",
    source=OURS,
    attributes=(closed("type", "spending_pattern", "saving_opportunity", "budget_advice", "unusual_spending", OTHER),),
)
AI_INSIGHTS_REQUESTS: Final = Counter(
    name="mita.ai_insights.requests",
    unit="{request}",
    description="Questions to the insights service.",
    source=OURS,
    attributes=(_OUTCOME,),
)
AI_INSIGHTS_DURATION: Final = Histogram(
    name="mita.ai_insights.duration",
    unit="s",
    description="Time that the insights service took.",
    source=OURS,
    attributes=(_OUTCOME,),
    buckets=PROCESSING,
)
USER_REGISTRATIONS: Final = Counter(
    name="mita.user.registrations",
    unit="{user}",
    description="Users registered.",
    source=OURS,
    attributes=(closed("method", "password", "google", OTHER),),
)
AUTHENTICATION: Final = Counter(
    name="mita.authentication",
    unit="{attempt}",
    description="Attempts to log in.",
    source=OURS,
    attributes=(_OUTCOME, closed("method", "password", "google", "refresh", OTHER)),
)
AUTHENTICATION_FAILURES: Final = Counter(
    name="mita.authentication.failures",
    unit="{attempt}",
    description="Attempts to log in, or to use a token, that failed.",
    source=OURS,
    attributes=(closed("reason", "credentials", "token_invalid", "token_expired", "token_reused", "provider", OTHER),),
)
TOKEN_REFRESHES: Final = Counter(
    name="mita.token.refreshes",
    unit="{refresh}",
    description="Refresh tokens exchanged.",
    source=OURS,
    attributes=(_OUTCOME,),
)
PASSWORD_RESETS: Final = Counter(
    name="mita.password.resets",
    unit="{reset}",
    description="Steps of password resets.",
    source=OURS,
    attributes=(closed("status", "requested", "success", "failed", OTHER),),
)
ACTIVE_USERS: Final = Gauge(
    name="mita.active_users",
    unit="{user}",
    description="Users seen within the window, counted once for the whole service.",
    source=OURS,
    attributes=(closed("window", "5m", "1h", "1d"),),
)
ACTIVE_SESSIONS: Final = Gauge(
    name="mita.active_sessions",
    unit="{session}",
    description="Sessions whose refresh token is valid, counted once for the whole service.",
    source=OURS,
)
PURCHASES: Final = Counter(
    name="mita.in_app_purchases",
    unit="{purchase}",
    description="In-app purchases by outcome.",
    source=OURS,
    attributes=(closed("status", "success", "failed", "duplicate", OTHER),),
)
REVENUE: Final = Counter(
    name="mita.revenue", unit="{USD}", description="Revenue from in-app purchases, in US dollars.", source=OURS
)
GOALS: Final = Counter(
    name="mita.goals",
    unit="{goal}",
    description="What became of saving goals.",
    source=OURS,
    attributes=(closed("event", "created", "reached", "deleted", OTHER),),
)
BULK_ENTRIES: Final = Counter(
    name="mita.bulk_entries",
    unit="{entry}",
    description="Entries of bulk requests.",
    source=OURS,
    attributes=(closed("status", "success", "rejected", OTHER),),
)
CALENDAR_VIEWS: Final = Counter(
    name="mita.calendar.views",
    unit="{view}",
    description="Months shown as a calendar.",
    source=OURS,
    attributes=(_OUTCOME,),
)
NOTIFICATIONS: Final = Counter(
    name="mita.notifications",
    unit="{notification}",
    description="Notifications by what became of them.",
    source=OURS,
    attributes=(closed("status", "created", "delivered", "expired", "failed", OTHER),),
)
NOTIFICATION_DELIVERY_DURATION: Final = Histogram(
    name="mita.notification.delivery.duration",
    unit="s",
    description="Time from the cause of a notification to its delivery.",
    source=OURS,
    buckets=DELIVERIES,
)
ANALYTICS_REFRESHES: Final = Counter(
    name="mita.analytics.refreshes",
    unit="{refresh}",
    description="Refreshes of analytics.",
    source=OURS,
    attributes=(_OUTCOME,),
)
ANALYTICS_REFRESH_DURATION: Final = Histogram(
    name="mita.analytics.refresh.duration",
    unit="s",
    description="Time to refresh analytics.",
    source=OURS,
    buckets=PROCESSING,
)
LAST_DATA_UPDATE: Final = Gauge(
    name="mita.last_data_update.timestamp",
    unit="",
    description="When analytics were last refreshed, in seconds since the epoch.",
    source=OURS,
)
