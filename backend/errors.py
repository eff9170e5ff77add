"""Every error this product raises, as one tree. The class answers who acts next.

    SyncError
      UserError       a person: the message says what happened, to which thing, and what to do
        ConfigError     … in sync.yaml or the settings; knows line and column where there are some
        BrakeError      … a brake stopped the run before it wrote; knows the figures
        PreviewOutdated … what would run now is not what somebody was shown; nothing was written
        BundleRefused   … Grist does not take a change; nothing of it was written
      RetryLater      the clock: try again after `retry_after` seconds
        OutcomeUnknown  … and a write may or may not have happened: look before trying again
        DatabaseAway    … the database itself
      Cancelled       nobody: somebody wanted the run to end here
        Interrupted     … because its process ends; the next one goes on
        Waits           … because a person's access to the document ends; it goes on when somebody looks
      LeaseLost       nobody: another worker goes on
      TooCostly, InputRefused, BulkFailed   the Shopify connector itself: ask for less, leave one row out, ask singly
    anything else     a developer
"""

from __future__ import annotations

from typing import Any


class SyncError(Exception):
    """What happened, to which thing, and what to do; in words that a shop's owner understands."""

    code = "error"
    report: Any = None
    """What a run had done until then, where the error ended one."""
    request_id: str = ""
    """What the service's support finds the failure by, where it said."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


class UserError(SyncError):
    """A person has to do something; trying again changes nothing."""

    code = "user_error"


class ConfigError(UserError):
    """A mistake in sync.yaml or in the settings."""

    code = "config_error"

    def __init__(self, message: str, *, cure: str = "", line: int | None = None, column: int | None = None,
                 path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, cure=cure)
        self.line = line
        self.column = column
        self.path = path
        """Where in the configuration: ("mappings", 0, "fields", "price")."""

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: " if self.line is not None else ""
        return where + super().__str__()


class AccessError(UserError):
    """A key, token or right is missing or no longer good."""

    code = "access_error"
    path: tuple[str | int, ...] = ()
    """Where in an answer the right was missing, as far as the service said."""


class KeyRefused(AccessError):
    """The store's key is no longer good: an owner connects the store again."""

    code = "shopify_key"


class TokenRefused(KeyRefused):
    """Status 401. A token from client id and secret may just have run out: the client asks for a new one, once."""


class BundleRefused(UserError):
    """Grist refused a bundle whole: nothing of it was written. `said` is Grist's text, `reason` its plain words."""

    code = "grist_refused"

    def __init__(self, said: str, reason: str = "") -> None:
        self.said = said
        self.reason = reason or said
        super().__init__(f"Grist refused the change: {self.reason}", cure="Correct the row in Grist or in Shopify.")


class BrakeError(UserError):
    """A brake stopped the run before anything was written."""

    code = "brake"

    def __init__(self, message: str, *, cure: str, brake: str, figures: dict[str, int]) -> None:
        super().__init__(message, cure=cure)
        self.brake = brake
        self.figures = figures


class PreviewOutdated(UserError):
    """A plan that somebody was shown would not be what runs now. Nothing was written."""

    code = "preview_outdated"


def by_hand(cure: str | None) -> str | None:
    """A cure of something that passes, where nobody tries again but the person who reads it."""
    return cure and cure.replace("It is tried again by itself", "Sync again in a minute")


class RetryLater(SyncError):
    """The service cannot answer now. Nothing is known to be wrong."""

    code = "retry_later"

    def __init__(self, message: str, *, cure: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, cure=cure)
        self.retry_after = retry_after
        """Seconds that the service asked for, where it did."""


class OutcomeUnknown(RetryLater):
    """A write was sent and no answer came: it may have happened. Never repeat it blindly."""

    code = "outcome_unknown"


class DatabaseAway(RetryLater):
    """The database does not answer, or ended the connection. What was in hand in it was not done."""

    code = "database_away"


class Cancelled(SyncError):
    """Somebody pressed Cancel; the batch in hand was finished and remembered."""

    code = "cancelled"


class Interrupted(Cancelled):
    """The process was told to end; the batch in hand was finished and remembered."""

    code = "interrupted"


class Waits(Cancelled):
    """The person's access on which a run works ends soon; the batch in hand was finished and remembered."""

    code = "waits"


class LeaseLost(SyncError):
    """Another worker has taken this run; nothing more may be written here."""

    code = "lease_lost"


class TooCostly(SyncError):
    """The document costs more points than Shopify allows one document. Nothing of it was run: make it smaller."""

    code = "too_costly"
    points: float | None = None
    """What it costs, where the service said."""


class BulkFailed(SyncError):
    """Shopify gave up, or never began, a large operation of its own. Nothing of it is to be used: go by requests."""

    code = "bulk_failed"


class InputRefused(SyncError):
    """Shopify refused the whole request before running any of it, because of something in it."""

    code = "input_refused"
