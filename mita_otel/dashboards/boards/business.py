"""What the service does for its users, and what that is worth."""

from mita_otel.dashboards import promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import chart, number
from mita_otel.dashboards.promql import of, quantile, rate, rise, share, total
from mita_otel.slo.specification import Specification

_OVER = "in the chosen time"


def board(specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.BUSINESS,
        title="Business metrics",
        description="Transactions, budgets, receipts, insights, users and revenue: is the service worth running?",
        variables=("environment", "service", "instance"),
        time="6h",
        rows=(
            Row("In the chosen time", _numbers()),
            Row("Transactions and budgets", _transactions(specification)),
            Row("Receipts", _receipts(specification)),
            Row("Insights and analytics", _insights(specification)),
            Row("Users", _users()),
            Row("Revenue", _revenue()),
            Row("Lines", (shared.worrying_logs(),)),
        ),
    )


def _share_of(name: str, status: str) -> str:
    return share(total(rise(name, status=status)), total(rise(name)))


def _numbers() -> tuple[Panel, ...]:
    counted = (
        ("Transactions stored", "mita_transactions_created_total", "Transactions stored", "short"),
        ("Worth stored", "mita_transaction_amount_total", "Worth of the transactions stored", "currencyUSD"),
        ("Budgets worked out", "mita_budget_calculations_total", "Budgets worked out", "short"),
        ("Receipts read", "mita_ocr_processing_total", "Receipts read, well or not", "short"),
        ("Insights", "mita_ai_insights_generated_total", "Insights shown to users", "short"),
        ("Registrations", "mita_user_registrations_total", "Users who registered", "short"),
    )
    return tuple(
        number(title, f"{what} {_OVER}. From {name}.", Query(total(rise(name)), at_once=True), unit=unit, height=4)
        for title, name, what, unit in counted
    )


def _transactions(specification: Specification) -> tuple[Panel, ...]:
    return (
        chart(
            "Transactions created",
            "Transactions stored a second, by what was paid for. Nights and weekends are quieter; zero at noon is an "
            "outage. From mita_transactions_created_total.",
            Query(total(rate("mita_transactions_created_total"), "category"), "{{category}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Worth of transactions",
            "US dollars a second, by what was paid for. From mita_transaction_amount_total.",
            Query(total(rate("mita_transaction_amount_total"), "category"), "{{category}}"),
            unit="currencyUSD",
            stacked=True,
        ),
        chart(
            "Attempts by outcome",
            "Attempts to store, change or delete a transaction: rejected is a user's mistake, failed is ours. From "
            "mita_transactions_total.",
            Query(total(rate("mita_transactions_total"), "status"), "{{status}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Budget calculations",
            "Budgets worked out a second, by outcome. From mita_budget_calculations_total.",
            Query(total(rate("mita_budget_calculations_total"), "status"), "{{status}}"),
            unit="ops",
            stacked=True,
        ),
        number(
            "Budgets worked out well",
            f"Share of the calculations {_OVER} that succeeded. From mita_budget_calculations_total.",
            Query(_share_of("mita_budget_calculations_total", "success"), at_once=True),
            unit="percentunit",
            steps=promises.kept(specification, "budgets", "availability"),
            height=8,
        ),
        chart(
            "Time to work out a budget",
            "What 50, 95 and 99 % of the calculations stay below. The lines are what the budget pages promise. From "
            "mita.budget_calculations.duration.",
            *shared.quantiles("mita_budget_calculations_duration_seconds"),
            unit="s",
            steps=promises.latency(specification, "budgets"),
            width=12,
        ),
    )


def _receipts(specification: Specification) -> tuple[Panel, ...]:
    return (
        chart(
            "Receipts read by outcome",
            "Receipts a second: rejected is a picture of something else, failed is ours. From "
            "mita_ocr_processing_total.",
            Query(total(rate("mita_ocr_processing_total"), "status"), "{{status}}"),
            unit="ops",
            stacked=True,
        ),
        number(
            "Receipts read well",
            f"Share of the receipts {_OVER} that were read. Red is below what is promised. From "
            "mita_ocr_processing_total.",
            Query(_share_of("mita_ocr_processing_total", "success"), at_once=True),
            unit="percentunit",
            steps=promises.kept(specification, "ocr", "availability"),
            height=8,
        ),
        chart(
            "Time to read a receipt",
            "What 50, 95 and 99 % of the receipts stay below. The lines are the promised thresholds. From "
            "mita.ocr_processing.duration.",
            *shared.quantiles("mita_ocr_processing_duration_seconds"),
            unit="s",
            steps=promises.latency(specification, "ocr"),
            width=12,
        ),
    )


def _insights(specification: Specification) -> tuple[Panel, ...]:
    return (
        chart(
            "Insights generated",
            "Insights shown to users a second, by kind. From mita_ai_insights_generated_total.",
            Query(total(rate("mita_ai_insights_generated_total"), "type"), "{{type}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Time that insights take",
            "What 95 % of the questions to the insights service stay below, by outcome. The lines are what users are "
            "promised. From mita.ai_insights.duration.",
            Query(quantile(0.95, "mita_ai_insights_duration_seconds", "status"), "P95 {{status}}", exemplars=True),
            unit="s",
            steps=promises.latency(specification, "ai-insights"),
        ),
        chart(
            "Age of analytics",
            "Time since analytics were last refreshed. Normal is a saw of the refresh interval; a line that only "
            "rises is a background task that stopped. From mita_last_data_update_timestamp.",
            Query(f"time() - max({of('mita_last_data_update_timestamp')})", "age"),
            unit="s",
        ),
    )


def _users() -> tuple[Panel, ...]:
    return (
        chart(
            "User registrations",
            "Users who register a second, by how. From mita_user_registrations_total.",
            Query(total(rate("mita_user_registrations_total"), "method"), "{{method}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Active sessions",
            "Sessions whose refresh token is valid, counted once over all processes. From mita_active_sessions.",
            Query(f"max({of('mita_active_sessions')})", "sessions"),
        ),
        chart(
            "Log-ins by outcome",
            "Attempts to log in a second. Failures that rise without successes are someone guessing. From "
            "mita_authentication_total.",
            Query(total(rate("mita_authentication_total"), "status"), "{{status}}"),
            unit="ops",
            stacked=True,
            next=uids.RELIABILITY,
        ),
        chart(
            "Notifications by outcome",
            "Messages to users a second; expired are ours to explain. From mita_notifications_total.",
            Query(total(rate("mita_notifications_total"), "status"), "{{status}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Saving goals",
            "What became of saving goals, a second. From mita_goals_total.",
            Query(total(rate("mita_goals_total"), "event"), "{{event}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Budgets exceeded",
            "Budgets that a transaction took beyond their limit, a second. From mita_budgets_exceeded_total.",
            Query(total(rate("mita_budgets_exceeded_total"), "category"), "{{category}}"),
            unit="ops",
            stacked=True,
        ),
    )


def _revenue() -> tuple[Panel, ...]:
    return (
        number(
            "Revenue",
            f"US dollars from in-app purchases {_OVER}. From mita_revenue_total.",
            Query(total(rise("mita_revenue_total")), at_once=True),
            unit="currencyUSD",
            height=8,
        ),
        chart(
            "Revenue over time",
            "US dollars a second from in-app purchases. From mita_revenue_total.",
            Query(total(rate("mita_revenue_total")), "revenue"),
            unit="currencyUSD",
            width=10,
        ),
        chart(
            "In-app purchases by outcome",
            "Purchases a second: duplicates are stores that tell twice, rejected are receipts that the store does not "
            "know. From mita_in_app_purchases_total.",
            Query(total(rate("mita_in_app_purchases_total"), "status"), "{{status}}"),
            unit="ops",
            width=10,
            stacked=True,
        ),
    )
