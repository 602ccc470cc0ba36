"""The routes of channels and their deliveries."""

from typing import Any

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.alerting.channel import Channel, ChannelDraft, ChannelKind
from chalicelib.alerting.channels import service
from chalicelib.alerting.channels.email_confirmation import (
    send_confirmation,
    try_to_send_confirmation,
)
from chalicelib.alerting.channels.schemas import (
    ChannelIn,
    ChannelOut,
    ChannelPatch,
    ChannelsPage,
    DeliveriesPage,
    DeliveryOut,
    NewChannelOut,
    ReportedTargetOut,
    ReportedTargetsPage,
)
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.api.etags import check_if_match, etag
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.parsing import validate_body
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import PageQuery
from chalicelib.common.errors import Fault, InvalidError

routes = Routes()


@routes(
    "POST",
    "/v1/channels",
    scope=Scope.WRITE,
    body=ChannelIn,
    response=NewChannelOut,
    status=201,
    request_headers=["Idempotency-Key"],
    response_headers=["Location", "ETag"],
)
def create_channel(call: Call[ChannelIn, NoQuery, AlertingRuntime]) -> Response:
    """Create a channel. Only this response shows the signing secret of a webhook.

    An email address receives a confirmation link. If that email cannot be sent, the channel is
    created anyway; request another confirmation later.
    """

    def create(claim: ClaimedKey | None) -> Channel:
        channel_id, quota = claim.resource_id if claim else None, call.quota("channels")
        channel = service.create(call.runtime, call.owner, call.body.draft(), channel_id, quota)
        if channel.kind is ChannelKind.EMAIL:
            try_to_send_confirmation(call.runtime, channel, call.public_url)
        return channel

    def find(claim: ClaimedKey) -> Channel:
        return Channels(call.owner).get(claim.resource_id)

    def show(channel: Channel) -> Response:
        headers = {"Location": f"channels/{channel.id}", "ETag": etag(channel.version)}
        return Response(NewChannelOut.of(channel), 201, headers)

    return create_idempotently(call, "create_channel", create, show, find, is_secret=True)


@routes(
    "GET",
    "/v1/channels",
    scope=Scope.READ,
    query=PageQuery,
    response=ChannelsPage,
    response_headers=["Link"],
)
def list_channels(call: Call[None, PageQuery, AlertingRuntime]) -> Response:
    """List channels, oldest first."""
    cursors = call.cursors("channels")
    found, last = service.page_of_channels(
        call.owner, cursors.read(call.query.cursor), call.query.limit
    )
    return call.page(
        ChannelsPage, [ChannelOut.of(channel) for channel in found], cursors.write(last)
    )


@routes(
    "GET",
    "/v1/channels/{channel_id}",
    scope=Scope.READ,
    response=ChannelOut,
    response_headers=["ETag"],
)
def get_channel(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Show a channel."""
    return _response(Channels(call.owner).get(_id(call)))


@routes(
    "PATCH",
    "/v1/channels/{channel_id}",
    scope=Scope.WRITE,
    body=ChannelPatch,
    response=ChannelOut,
    request_headers=["If-Match"],
    response_headers=["ETag"],
    problems=[409],
)
def change_channel(call: Call[ChannelPatch, NoQuery, AlertingRuntime]) -> Response:
    """Replace the given fields; null resets a field to its default."""

    def redraft(before: Channel) -> ChannelDraft:
        check_if_match(call, before.version)
        if call.body.root.get("kind", before.kind) != before.kind:
            fault = Fault(("body", "kind"), "cannot be changed; create another channel instead")
            raise InvalidError("the body does not fit the schema", (fault,))
        return validate_body(ChannelIn, call.body.over(before)).draft()

    return _response(service.change(call.runtime, call.owner, _id(call), redraft))


@routes(
    "DELETE",
    "/v1/channels/{channel_id}",
    scope=Scope.WRITE,
    status=204,
    request_headers=["If-Match"],
    problems=[409],
)
def delete_channel(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Delete a channel. Nothing is sent to it any more."""
    service.remove(call.owner, _id(call), lambda before: check_if_match(call, before.version))
    return Response(status=204)


@routes(
    "POST",
    "/v1/channels/{channel_id}/confirmation",
    scope=Scope.WRITE,
    response=ChannelOut,
    problems=[409],
)
def mail_confirmation(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Send the confirmation link of an email address again."""
    channel = Channels(call.owner).get(_id(call))
    send_confirmation(call.runtime, channel, call.public_url)
    return Response(ChannelOut.of(channel))


@routes(
    "POST",
    "/v1/channels/{channel_id}/enable",
    scope=Scope.WRITE,
    response=ChannelOut,
    problems=[409],
)
def enable_channel(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Enable a channel that was disabled, and send the alerts that wait for it."""
    return Response(ChannelOut.of(service.enable(call.runtime, call.owner, _id(call))))


@routes(
    "POST",
    "/v1/channels/{channel_id}/rotate-secret",
    scope=Scope.WRITE,
    response=NewChannelOut,
    problems=[409],
)
def rotate_channel_secret(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Create a new signing secret, shown only here. For a day, the old one signs as well."""
    channel = service.rotate_secret(call.runtime, call.owner, _id(call))
    return Response(NewChannelOut.of(channel))


@routes(
    "POST",
    "/v1/channels/{channel_id}/test",
    scope=Scope.WRITE,
    response=DeliveryOut,
    status=202,
    bucket="tests",
)
def test_channel(call: Call[None, NoQuery, AlertingRuntime]) -> Response:
    """Send a test alert, at most one a minute. The channel's deliveries show the result."""
    delivery = service.send_test(call.runtime, call.owner, _id(call))
    return Response(DeliveryOut.of(delivery), 202)


@routes(
    "GET",
    "/v1/channels/{channel_id}/deliveries",
    scope=Scope.READ,
    query=PageQuery,
    response=DeliveriesPage,
    response_headers=["Link"],
)
def list_deliveries(call: Call[None, PageQuery, AlertingRuntime]) -> Response:
    """List the alerts of a channel and all their attempts, newest first."""
    channel, cursors = Channels(call.owner).get(_id(call)), call.cursors("deliveries")
    found, last = service.page_of_deliveries(
        call.owner, channel.id, cursors.read(call.query.cursor), call.query.limit
    )
    items = [DeliveryOut.of(delivery) for delivery in found]
    return call.page(DeliveriesPage, items, cursors.write(last))


@routes(
    "GET",
    "/v1/channels/{channel_id}/deliveries/{delivery_id}/targets",
    scope=Scope.READ,
    query=PageQuery,
    response=ReportedTargetsPage,
    response_headers=["Link"],
)
def list_reported_targets(call: Call[None, PageQuery, AlertingRuntime]) -> Response:
    """List the targets that an alert reports, in the order of their changes."""
    channel, cursors = Channels(call.owner).get(_id(call)), call.cursors("reported targets")
    found, last = service.page_of_reported_targets(
        call.owner,
        channel.id,
        call.id("delivery_id", "delivery"),
        cursors.read(call.query.cursor),
        call.query.limit,
    )
    items = [ReportedTargetOut.of(target, call.public_url) for target in found]
    return call.page(ReportedTargetsPage, items, cursors.write(last))


def _response(channel: Channel) -> Response:
    return Response(ChannelOut.of(channel), headers={"ETag": etag(channel.version)})


def _id(call: Call[Any, Any, AlertingRuntime]) -> str:
    return call.id("channel_id", "channel")
