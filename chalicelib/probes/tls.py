"""The `tls` kind: a handshake that verifies the chain and name, and reads the expiry."""

from contextlib import closing

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.urls import endpoint


def check_tls(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Check a `tls` target by a handshake; raise CheckFailure.

    `spec.config`: host, port, verify_tls.
    """
    host, port = endpoint(spec.config)
    verify = spec.config.get("verify_tls") is not False
    with closing(dialer.connect_tls(host, port, attempt, verify=verify)):
        attempt.on_connected()
    return Observation()
