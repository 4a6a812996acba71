"""DBOS on PostgreSQL: workflows of durable steps."""

from peers import node
from peers.postgres import Postgres


def workflows(postgres: Postgres, count: int, steps: int) -> float:
    """Durable steps per second of so many workflows at once."""
    return node.rate(node.figures("dbos.mjs", postgres.port, count, steps))
