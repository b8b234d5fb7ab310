"""What the application holds while it runs."""

from dataclasses import dataclass, field

from app.clients.cache import Cache
from app.clients.google import Google
from app.clients.insights import Insights
from app.clients.messages import Messages
from app.clients.presence import Presence
from app.clients.rates import Rates
from app.clients.store import Stores
from app.clock import Clock
from app.domain.insights import Insight
from app.security import Tokens
from app.settings import Settings
from app.storage import Database
from app.work.bells import Bells
from mita_otel.degradation import Feature


@dataclass(frozen=True, slots=True)
class Services:
    """What routes and background work are given."""

    settings: Settings
    database: Database
    cache: Cache
    rates: Rates
    insights: Insights
    ai_insights: Feature[list[Insight]]
    google: Google
    messages: Messages
    stores: Stores
    tokens: Tokens
    presence: Presence
    now: Clock
    bells: Bells = field(default_factory=Bells)
