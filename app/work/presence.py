"""Now and then: who is there."""

from app.services import Services
from app.storage import sessions
from mita_otel.traces import unobserved


async def work(held: Services) -> float:
    """Count active users, and sessions if this process tells for all; no one waits for it, so it leaves no trace."""
    with unobserved():
        if await held.presence.count():
            async with held.database.session() as session:
                held.presence.tell_sessions(await sessions.count(session, held.now()))
        else:
            held.presence.tell_sessions(None)
    return float("inf")
