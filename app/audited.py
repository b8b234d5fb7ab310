"""Which requests are in the audit log beside those of every service."""

from mita_otel.logs.audit import Sensitivity
from mita_otel.web import audit

FINANCIAL = audit.Rule(
    name="financial",
    sensitivity=Sensitivity.CONFIDENTIAL,
    paths=("/api/transactions*", "/api/budgets*", "/api/goals*", "/api/purchases*", "/api/receipts*"),
    methods=audit.CHANGING,
)

RULES = (FINANCIAL, *audit.RULES)
