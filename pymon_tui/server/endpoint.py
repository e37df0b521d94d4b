"""Where a server listens and as whom we speak to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import SecretStr

CLIENT_NAME = "pymon-tui"
"""What our connections are called in CLIENT LIST."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a TLS connection is verified.

    Attributes:
        ca_certs: Path of a PEM file with trusted authorities, or None for the system's.
        certfile: Path of our own certificate (PEM), where the server asks for one.
        keyfile: Path of our own key (PEM).
        server_name: The name to verify and to send (SNI), or None for the host.
        verify: False accepts any certificate, from anyone.
    """

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    server_name: str | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server address with its credentials; frozen, and safe to print.

    Attributes:
        host: Name or address (IPv4 or IPv6 without brackets); unused with a socket.
        port: TCP port.
        socket: Path of a unix socket, or None for TCP.
        db: The logical database selected on each connection.
        username: ACL user, or None for the default user.
        password: Never shown by ``repr``.
        tls: How TLS is verified, or None for a plain connection.
        connect_timeout: Seconds until a connection attempt is given up.
        command_timeout: Seconds until an unanswered command is given up.
        name: What the user calls this server (a profile's name), or None.
        environment: What the profile says of it ("production", ...), or None.
        via: The host that ssh goes through, as ``[USER@]HOST[:PORT]``, which all the rest is as seen from; or None.
        read_only: Whether a command that may change something is refused on each connection, before it is sent.
    """

    host: str = "127.0.0.1"
    port: int = 6379
    socket: str | None = None
    db: int = 0
    username: str | None = None
    password: SecretStr | None = None
    tls: Tls | None = None
    connect_timeout: float = 5.0
    command_timeout: float = 5.0
    name: str | None = None
    environment: str | None = None
    via: str | None = None
    read_only: bool = False

    @property
    def address(self) -> str:
        """``host:port`` (IPv6 in brackets) or the socket's path, and the host that ssh goes through, if it does."""
        return f"{self.far} via {self.via}" if self.via else self.far

    @property
    def far(self) -> str:
        """``host:port`` (IPv6 in brackets) or the socket's path, as seen from where ssh leads to, if it does."""
        if self.socket is not None:
            return self.socket
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def at(self, host: str, port: int) -> Endpoint:
        """Another node of the same deployment, reached in the same way and as the same user."""
        return replace(self, host=host, port=port, socket=None, name=None)

    @property
    def logs_in(self) -> bool:
        """Whether we log in at all: a user without a password may be one that needs none (``nopass``)."""
        return bool(self.username or self.password)

    @property
    def label(self) -> str:
        """What a title shows: the profile's name, else the address; never a credential."""
        return self.name or self.address
