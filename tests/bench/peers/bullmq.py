"""BullMQ on Redis (appendfsync always): a flow, added and worked off."""

from peers import node
from peers.redis import Redis


def flow(redis: Redis, segments: int, stages: int, concurrency: int) -> float:
    """Jobs per second, adding them included."""
    return node.rate(
        node.figures("bullmq.mjs", redis.port, segments, stages, concurrency)
    )
