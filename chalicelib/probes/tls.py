"""The `tls` kind: a handshake with the chain and the name verified, and the days left."""

from contextlib import closing

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.endpoint import endpoint


def check_tls(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Do the TLS handshake of a `tls` target; raise CheckFailure.

    `spec.config`: host, port, verify_tls.
    """
    host, port = endpoint(spec.config)
    verify = spec.config.get("verify_tls") is not False
    with closing(dialer.connect_tls(host, port, attempt, verify=verify, http=False)):
        attempt.on_connected()
    return Observation()
