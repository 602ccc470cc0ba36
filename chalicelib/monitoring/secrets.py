"""A target's secrets: header values, a URL's userinfo and the text sent over TCP.

The API accepts them and never returns them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.common.errors import Fault, InvalidError

MASK = "***"
"""Returned instead of a secret; in a request it means the stored one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNames:
    """Which secrets a target has, without their values."""

    headers: tuple[str, ...] = ()
    userinfo: bool = False
    send: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Header values by name, `user:password`, and the text to send.

    `tag` is stored with them and equals the `secrets_tag` of the specs they are part of.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    userinfo: str | None = field(default=None, repr=False)
    send: str | None = field(default=None, repr=False)
    tag: str = field(default="", compare=False)

    def __bool__(self) -> bool:
        return bool(self.headers) or self.userinfo is not None or self.send is not None

    @property
    def names(self) -> SecretNames:
        return SecretNames(
            headers=tuple(self.headers),
            userinfo=self.userinfo is not None,
            send=self.send is not None,
        )

    @property
    def has_masks(self) -> bool:
        """Whether some value is masked, which means the stored one."""
        return MASK in {*self.headers.values(), self.userinfo, self.send}

    def over(self, stored: "Secrets") -> "Secrets":
        """These secrets, with masked ones replaced from `stored`.

        Raises InvalidError, naming the field, if the stored secret is missing.
        """
        faults = [
            Fault(("body", "headers", name), f"{MASK} means the stored value, but none is stored")
            for name, value in self.headers.items()
            if value == MASK and name not in stored.headers
        ]
        if self.userinfo == MASK and stored.userinfo is None:
            text = f"{MASK} means the stored credentials, but none are stored"
            faults.append(Fault(("body", "url"), text))
        if self.send == MASK and stored.send is None:
            text = f"{MASK} means the stored text, but none is stored"
            faults.append(Fault(("body", "send"), text))
        if faults:
            raise InvalidError("a masked value is not stored: send the value itself", tuple(faults))
        return Secrets(
            headers={
                name: stored.headers[name] if value == MASK else value
                for name, value in self.headers.items()
            },
            userinfo=stored.userinfo if self.userinfo == MASK else self.userinfo,
            send=stored.send if self.send == MASK else self.send,
        )

    def to_json(self) -> dict[str, Any]:
        values = {"headers": dict(self.headers), "userinfo": self.userinfo, "send": self.send}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Secrets":
        return cls(
            headers=stored.get("headers", {}),
            userinfo=stored.get("userinfo"),
            send=stored.get("send"),
            tag=stored.get("tag", ""),
        )
