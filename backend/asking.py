"""What is called before a service is asked. It stands apart from `http`, so that the web can set it without that."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

about_to_ask: ContextVar[Callable[[], None]] = ContextVar("about_to_ask", default=lambda: None)
"""Called right before each request to a service. Raises where it must not be sent. The web sees to it with this that
none of its threads waits for a service (backend/web/aside.py)."""
