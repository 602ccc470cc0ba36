"""Webhooks, signed by the Standard Webhooks specification (standardwebhooks.com, version 1).

Signing is five lines, so the specification's library is only what the tests check them with.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any, Final

from chalicelib.alerting.alert import Alert, AlertedTarget
from chalicelib.alerting.channel import Channel
from chalicelib.alerting.delivery import is_permanent
from chalicelib.alerting.notifiers.outcome import Outcome
from chalicelib.common.times import retry_at, rfc3339
from chalicelib.probes.net.outbound import Outbound, OutboundError

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
TIMEOUT_S: Final = 10.0


def new_secret() -> str:
    """A fresh signing secret, as receivers' libraries take it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def send_webhook(alert: Alert, channel: Channel, outbound: Outbound, now: int) -> Outcome:
    """POST the alert to the channel's URL; no redirect is followed."""
    body = json.dumps(payload(alert), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": alert.id,
        "webhook-timestamp": str(now),
        "webhook-signature": signatures(channel.secrets(now), alert.id, now, body),
    }
    try:
        answer = outbound.post(channel.url or "", body, headers, timeout_s=TIMEOUT_S)
    except OutboundError as failure:
        return Outcome(is_sent=False, reason=str(failure))
    code = answer.status_code
    if 200 <= code < 300:
        return Outcome(is_sent=True, status_code=code)
    return Outcome(
        is_sent=False,
        is_permanent=is_permanent(code),
        status_code=code,
        reason="redirects are not followed" if 300 <= code < 400 else f"answered {code}",
        retry_at=retry_at(answer.retry_after, now),
    )


def signatures(keys: Sequence[str], identifier: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one for each secret, with a space between."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_sign(key, signed)}" for key in keys)


def payload(alert: Alert) -> dict[str, Any]:
    """The body: `{type, timestamp, data}`, times as RFC 3339."""
    return {
        "type": str(alert.event),
        "timestamp": rfc3339(alert.at),
        "data": {
            "id": alert.id,
            "title": alert.title,
            "late": alert.late,
            "count": alert.count,
            "targets": [_subject(subject) for subject in alert.subjects],
        },
    }


def _subject(subject: AlertedTarget) -> dict[str, Any]:
    return {
        "target_id": subject.target_id,
        "name": subject.name,
        "url": subject.url,
        "status": subject.status,
        "since": rfc3339(subject.since),
        "until": None if subject.until is None else rfc3339(subject.until),
        "incident_id": subject.incident_id,
        "reason": subject.reason,
        "error": subject.error,
        "status_code": subject.status_code,
    }


def _sign(key: str, signed: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()
