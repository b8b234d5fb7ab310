"""Cases of the alerts on what the business and its attackers do."""

from tests.stack.alerts.case import Case, Told, counted, named

_SHOP = {"service_name": "shop"}


def _logins(status: str, of: str = "shop") -> str:
    return f"mita_authentication_total{{{named(of, status=status, method='password')}}}"


def _receipts(status: str, of: str = "shop") -> str:
    return f"mita_ocr_processing_total{{{named(of, status=status)}}}"


def _held(result: str, of: str = "shop") -> str:
    return f"mita_rate_limit_requests_total{{{named(of, result=result, policy='login')}}}"


BUSINESS = (
    Case(
        alert="MitaHighAuthenticationFailureRate",
        shows="half of the logins fail for 15 minutes; 15 % of another's, nine of nine in a night",
        series={
            _logins("success"): counted((200, 10)),
            _logins("failed"): counted((20, 0), (60, 10), (120, 0)),
            _logins("success", "calm"): counted((200, 17)),
            _logins("failed", "calm"): counted((20, 0), (60, 3), (120, 0)),
            _logins("success", "night"): counted((200, 0)),
            _logins("failed", "night"): counted((20, 0), (60, 0.45), (120, 0)),
        },
        quiet=("5m", "10m30s", "30m"),
        told={"14m": (Told(labels=_SHOP, value={"humanizePercentage": "50%"}),)},
    ),
    Case(
        alert="MitaOcrProcessingFailures",
        shows="a fifth of the receipts cannot be read for 30 minutes; 8 % of another's, four of four in a night",
        series={
            _receipts("success"): counted((320, 4)),
            _receipts("failed"): counted((60, 0), (120, 1), (140, 0)),
            _receipts("success", "calm"): counted((320, 23)),
            _receipts("failed", "calm"): counted((60, 0), (120, 2), (140, 0)),
            _receipts("success", "night"): counted((320, 0)),
            _receipts("failed", "night"): counted((60, 0), (4, 1), (256, 0)),
        },
        quiet=("15m", "24m", "79m"),
        told={"40m": (Told(labels=_SHOP, value={"humanizePercentage": "20%"}),)},
    ),
    Case(
        alert="MitaRateLimitSurge",
        shows="half of the requests are turned away for 15 minutes; a tenth of another's, 40 of 40 in a night",
        series={
            _held("allowed"): counted((200, 10)),
            _held("blocked"): counted((20, 0), (60, 10), (120, 0)),
            _held("allowed", "calm"): counted((200, 90)),
            _held("blocked", "calm"): counted((20, 0), (60, 10), (120, 0)),
            _held("allowed", "night"): counted((200, 0)),
            _held("fallback_blocked", "night"): counted((20, 0), (60, 2), (120, 0)),
        },
        quiet=("5m", "10m", "30m"),
        told={"14m": (Told(labels={**_SHOP, "policy": "login"}, value={"humanizePercentage": "50%"}),)},
    ),
)
