"""What came of one try to notify, in words that may be shown to the channel's owner."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the receiver took it; if not, whether another try may help.

    Of what a receiver answered nothing is kept but the status code and a short reason of our own.
    `retry_at` is the epoch second before which it asked not to be tried again.
    """

    is_sent: bool
    is_permanent: bool = False
    status_code: int | None = None
    reason: str | None = None
    retry_at: int | None = None
