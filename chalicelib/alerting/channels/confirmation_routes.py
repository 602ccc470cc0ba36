"""Pages on which the owner of an email address confirms it."""

from html import escape

from chalicelib.alerting.channels.email_confirmation import confirm, pending_address
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import HTML, NoQuery, Routes

routes = Routes()
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@routes("GET", "/confirm/{token}", scope=None, media_types=[HTML])
def show_confirmation(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Show the address and a button. Opening the link alone does not confirm."""
    address = escape(pending_address(call.runtime, call.path["token"]))
    button = '<form method="post"><button>Confirm</button></form>'
    return _page(f"<p>Should alerts from Monitum be sent to {address}?</p>{button}")


@routes("POST", "/confirm/{token}", scope=None, media_types=[HTML], problems=[409])
def confirm_address(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Confirm the address. Idempotent."""
    address = escape(confirm(call.runtime, call.path["token"]))
    return _page(f"<p>Thank you: alerts will be sent to {address}.</p>")


def _page(content: str) -> Response:
    page = f"<!doctype html><html lang=en><title>Monitum</title><body>{content}</body></html>"
    return Response(page, headers=_HEADERS)
