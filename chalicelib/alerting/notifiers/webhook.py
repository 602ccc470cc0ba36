"""Webhooks, signed as specified by Standard Webhooks (standardwebhooks.com, version 1).

Signing takes five lines, so only the tests depend on the specification's library.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any, Final

from chalicelib.alerting.alert import Alert, AlertedTarget, DisabledChannel
from chalicelib.alerting.channel import Channel
from chalicelib.alerting.notifiers import SendResult
from chalicelib.common.times import retry_at, rfc3339
from chalicelib.probes.net.outbound import Outbound, OutboundError

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_MAX_TARGETS: Final = 1_000
"""Half a megabyte; `targets_url` lists all of them."""
TIMEOUT_S: Final = 10.0


def new_secret() -> str:
    """Create a signing secret in the format that receivers' libraries expect."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def send_webhook(alert: Alert, channel: Channel, outbound: Outbound, now: int) -> SendResult:
    """POST the alert to the channel's URL, without following redirects."""
    body = json.dumps(_payload(alert, channel), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": alert.id,
        "webhook-timestamp": str(now),
        "webhook-signature": _signatures(channel.signing_secrets(now), alert.id, now, body),
    }
    try:
        response = outbound.post(channel.url or "", body, headers, timeout_s=TIMEOUT_S)
    except OutboundError as error:
        return SendResult(is_sent=False, reason=str(error))
    code = response.status_code
    if 200 <= code < 300:
        return SendResult(is_sent=True, status_code=code)
    return SendResult(
        is_sent=False,
        is_gone=code == 410,
        status_code=code,
        reason="redirects are not followed" if 300 <= code < 400 else f"responded with {code}",
        retry_at=retry_at(response.retry_after, now),
    )


def _signatures(keys: Sequence[str], alert_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: a signature by each secret, separated by spaces."""
    signed = f"{alert_id}.{timestamp}.".encode() + body
    raw_keys = [base64.b64decode(key.removeprefix(_PREFIX)) for key in keys]
    digests = [hmac.digest(key, signed, hashlib.sha256) for key in raw_keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _payload(alert: Alert, channel: Channel) -> dict[str, Any]:
    """The body: `{type, timestamp, data}`, with times in RFC 3339."""
    return {
        "type": str(alert.event),
        "timestamp": rfc3339(alert.at),
        "data": {
            "id": alert.id,
            "title": alert.title,
            "late": alert.late,
            "channel": _channel(alert.disabled),
            "count": alert.count,
            "targets": [
                _target(target, alert.link(target)) for target in alert.targets[:_MAX_TARGETS]
            ],
            "targets_url": _targets_url(alert, channel) if alert.count > _MAX_TARGETS else None,
        },
    }


def _targets_url(alert: Alert, channel: Channel) -> str:
    return f"{alert.public_url}/v1/channels/{channel.id}/deliveries/{alert.id}/targets"


def _channel(channel: DisabledChannel | None) -> dict[str, Any] | None:
    if channel is None:
        return None
    return {"channel_id": channel.id, "name": channel.name, "reason": channel.reason}


def _target(target: AlertedTarget, link: str | None) -> dict[str, Any]:
    return {
        "target_id": target.target_id,
        "name": target.name,
        "url": target.url,
        "status": target.status,
        "since": rfc3339(target.since),
        "until": None if target.until is None else rfc3339(target.until),
        "incident_id": target.incident_id,
        "link": link,
        "reason": target.reason,
        "error": target.error,
        "status_code": target.status_code,
    }
