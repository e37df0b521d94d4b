"""Where a server listens and as whom we speak to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from pymon_tui.model.deployment import Address
from pymon_tui.model.text import SafeText, safe

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
        announced: The name that this node of a cluster announces, which is verified where no ``server_name`` is given:
            its certificate is made for that, whichever way it is reached. None where it announces none.
    """

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    server_name: str | None = None
    verify: bool = True
    announced: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A primary by the name that Sentinels watch it under, and where and as whom to ask them.

    Attributes:
        name: As in ``SENTINEL MONITOR name``.
        sentinels: Those that the user named; they tell of the others.
        username: ACL user at the Sentinels, or None for the default user.
        password: Theirs, and not the servers'; never shown by ``repr``.
        unheard: Those of them that were silent, and when (monotonic seconds); all who ask for the service share it.
    """

    name: str
    sentinels: tuple[Address, ...]
    username: str | None = None
    password: SecretStr | None = None
    unheard: dict[Address, float] = field(default_factory=dict, compare=False, repr=False)


class Refusals:
    """What servers refuse of a greeting, which isn't asked again: each time would be an error for the ACL LOG.

    They are kept by a server's address and our user there.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str | None], set[str]] = {}

    def at(self, endpoint: Endpoint) -> set[str]:
        """The commands that are refused to its user there, by their names in ACL rules; to be added to."""
        return self._names.setdefault((endpoint.address, endpoint.username), set())

    def forget(self) -> None:
        """Ask all of it again at the next greeting."""
        self._names.clear()


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
        apart: Whether ssh, where it is gone through, is one for those who say so here, and a TCP connection of their
            own: what they ask waits behind nobody else's bulk. All others share one.
        read_only: Whether a command that may change something is refused on each connection, before it is sent.
        mapped: Where nodes can be reached, after what they announce, for those that can't be reached there.
        service: What Sentinels are asked for. Then ``host`` and ``port`` say nothing: the server is ``at`` what they
            answer. None where the address is known.
        watched: The service whose Sentinels have named this server or one beside it; None where none were asked.
        refusals: What greetings needn't ask again; every endpoint that is made of this one shares them.
        way: The words of a command line that lead there, without a secret; two endpoints are the same without it.
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
    apart: bool = False
    read_only: bool = False
    mapped: tuple[tuple[Address, Address], ...] = ()
    service: Service | None = None
    watched: Service | None = None
    refusals: Refusals = field(default_factory=Refusals, compare=False, repr=False)
    way: tuple[str, ...] = field(default=(), compare=False)

    @property
    def called(self) -> SafeText | None:
        """Its environment, fit to be shown."""
        return safe(self.environment) if self.environment else None

    @property
    def address(self) -> str:
        """``host:port`` (IPv6 in brackets) or the socket's path, and the host that ssh goes through, if it does."""
        return f"{self.far} via {self.via}" if self.via else self.far

    @property
    def far(self) -> str:
        """``host:port`` (IPv6 in brackets) or the socket's path, as seen from where ssh leads to, if it does.

        Of a primary that Sentinels are to be asked for, ``service`` and its name.
        """
        if self.service is not None:
            return f"service {self.service.name}"
        if self.socket is not None:
            return self.socket
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def at(self, address: Address, hostname: str | None = None) -> Endpoint:
        """Another node of the same deployment, by what it announces: reached in the same way, as the same user.

        ``hostname`` is the name that it announces beside its address, if it does.
        """
        places = (address, Address(hostname or address.host, address.port))
        reached = next((there for told, there in self.mapped if told in places), address)
        tls = self.tls and replace(self.tls, announced=hostname if reached == address else None)
        watched = self.service or self.watched
        return replace(
            self, host=reached.host, port=reached.port, socket=None, name=None, service=None, watched=watched, tls=tls
        )

    @property
    def asked_host(self) -> str | None:
        """The host that it is asked at; None at a socket."""
        return None if self.socket is not None else self.host

    @property
    def certified(self) -> str:
        """The name that its certificate is to be for."""
        return (self.tls and (self.tls.server_name or self.tls.announced)) or self.host

    @property
    def is_verified(self) -> bool:
        """Whether TLS, where there is any, tells us who answers."""
        return self.tls is None or self.tls.verify

    @property
    def logs_in(self) -> bool:
        """Whether we log in at all: a user without a password may be one that needs none (``nopass``)."""
        return bool(self.username or self.password)

    @property
    def label(self) -> str:
        """What a title shows: the profile's name, else the address; never a credential."""
        return self.name or self.address
