"""A user who logs in, looks around and spends; now and then something fails, or takes long."""

import random
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from mita_otel.demo import web

_NOBODYS: Final = "00000000-0000-0000-0000-000000000000"


class Traffic:
    """Requests to the reference service, one after the other.

    Args:
        url: Base URL of the service.

    Attributes:
        sent: Requests by status.
        failed: Requests without an answer.
        last_trace_id: Of the newest answer, in hexadecimal.
        last_error_trace_id: Of the newest answer of status 500 and above; empty until there is one.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._user: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        self.sent: Counter[int] = Counter()
        self.failed = 0
        self.last_trace_id = ""
        self.last_error_trace_id = ""
        # What users do, and how often of a hundred times.
        self._steps: tuple[tuple[Callable[[], Any], int], ...] = (
            (lambda: self._get("/api/transactions?limit=10"), 24),
            (lambda: self._post("/api/transactions", self._purchase()), 18),
            (self.spend, 12),
            (lambda: self._get("/api/budgets/dashboard"), 14),
            (lambda: self._get("/api/insights"), 12),
            (lambda: self._get("/api/users/me"), 6),
            (lambda: self._get("/api/transactions/categories"), 4),
            (self.log_in, 3),
            (lambda: self._post("/api/auth/login", {**self._user, "password": "not the one"}), 2),
            (lambda: self._get(f"/api/transactions/{_NOBODYS}"), 3),
            (lambda: self._post("/api/transactions", {"amount": "-1", "category": "food"}), 2),
        )

    def sign_up(self) -> None:
        """Register a new user."""
        self._user = {"email": f"{secrets.token_hex(8)}@example.com", "password": secrets.token_hex(8)}
        self._authorise(self._post("/api/auth/register", {**self._user, "currency": "USD"}))

    def log_in(self) -> None:
        """Exchange the user's password for a new token."""
        self._authorise(self._post("/api/auth/login", self._user))

    def spend(self) -> None:
        """Spend in a foreign currency: a request with a query, cache commands and at times a call."""
        self._post("/api/transactions", {**self._purchase(), "currency": random.choice(("EUR", "GBP", "THB"))})  # noqa: S311 - chance, not secrecy

    def step(self) -> None:
        """Do one thing, chosen by chance."""
        actions, weights = zip(*self._steps, strict=True)
        random.choices(actions, weights)[0]()  # noqa: S311 - chance, not secrecy

    @staticmethod
    def _purchase() -> dict[str, str]:
        amount = random.randint(1, 20_000) / 100  # noqa: S311 - chance, not secrecy
        return {"amount": f"{amount:.2f}", "category": random.choice(("food", "transport", "housing"))}  # noqa: S311 - as above

    def _authorise(self, answer: Any) -> None:
        if answer and "access_token" in answer:
            self._headers = {"authorization": f"Bearer {answer['access_token']}"}

    def _get(self, path: str) -> Any:
        return self._send("GET", path)

    def _post(self, path: str, body: object) -> Any:
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = web.send(method, self._url + path, body, self._headers)
        except OSError:
            self.failed += 1
            return None
        self.sent[answer.status] += 1
        # traceresponse: version-traceid-spanid-flags.
        self.last_trace_id = answer.headers.get("traceresponse", "--").split("-")[1]
        if answer.status >= 500:  # noqa: PLR2004 - the first status that tells a server's error
            self.last_error_trace_id = self.last_trace_id
        return answer.body
