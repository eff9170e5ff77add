"""Webhooks: who wants to hear of what, what is said, and how it gets there (facts §11).

    subscriptions.py   the subscriptions and their refusals
    topics.py          which topics a happening has, and which scope each asks for
    payloads.py        the REST-shaped bodies
    filters.py         filter and includeFields of a subscription
    delivery.py        signing, sending, sending again, giving up
"""
from .delivery import Webhooks

__all__ = ["Webhooks"]
