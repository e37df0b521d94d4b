"""The settings, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ByteSize, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.presets import BUILT_IN, Preset
from pymon_tui.model.deployment import Address
from pymon_tui.server import ssh, url
from pymon_tui.server.endpoint import Endpoint, Service, Tls
from pymon_tui.settings import places
from pymon_tui.settings.lists import items


def _path(value: Any) -> Any:
    return str(Path(value).expanduser()) if isinstance(value, str) else value


def _ssh(value: Any) -> Any:
    # An empty text takes back what a lower level says.
    return (str(ssh.place(value)) if value else None) if isinstance(value, str) else value


FilePath = Annotated[str, BeforeValidator(_path)]
Seconds = Annotated[float, Field(ge=0.1, le=600, allow_inf_nan=False)]
Size = Annotated[ByteSize, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Profile:
    """A named server of the configuration file, for a list to choose from.

    Attributes:
        name: Its name, as in ``[profiles.NAME]``.
        address: Where it is, without credentials; None where the profile's address can't be read.
        environment: What the profile says of it ("production", ...), or None.
    """

    name: str
    address: str | None
    environment: str | None


class Settings(BaseSettings):
    """All that can be set; ``load`` builds it from flags, environment, profile and file.

    Constructed by hand it reads nothing but its arguments. Times are in seconds.

    Attributes:
        name: What the user calls the server: the profile's name, unless another address was named.
        environment: What the profile says of the server ("production", ...); free text.
        ssh: The host to go through, as ``[USER@]HOST[:PORT]``; ``host`` and ``socket`` are as seen from there.
        sentinels: Whom to ask where the primary of ``service`` is; ``host``, ``port`` and ``socket`` say nothing then.
        map: Where announced addresses can be reached, the announced one first.
        channels: Patterns for PSUBSCRIBE.
        keymap: Keys of a binding by the binding's id.
        full_redraw: Draw whole screens instead of the cells that changed.
        protected: Keys that no invalidation touches; those of all levels together.
        protected_from: Where each of these was set, in their order.
        max_keys: Keys that one run may remove.
        type_above: The pattern must be typed to confirm a run of more keys than this.
        ping_ceiling: Milliseconds; how much later than on an idle server another client may be answered during a run.
        rate: Keys per second that a run may remove, or None for as many as ``ping_ceiling`` lets it.
        trash_size: Bytes on the disk that the undo of all runs may take.
        trash_key_size: Bytes of one key, dumped; a larger one is removed without an undo.
        journal_keep: Runs, undos and actions that the journal keeps; more where they can be undone or resumed.
        presets: Named patterns: the built-in ones, and those of the file.
        primary_known: Whether ``sentinels`` were asked: then ``host`` and ``port`` are what they said. Nobody sets it.
        way: The words of the command line that led to the server, without a secret. Nobody sets it.
        config: The configuration file that was looked for; it need not exist.
        profiles: The profiles of that file.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False, case_sensitive=True
    )

    host: Annotated[str, BeforeValidator(url.host)] = url.DEFAULT_HOST
    port: Annotated[int, Field(ge=1, le=65535)] = url.DEFAULT_PORT
    socket: FilePath | None = None
    db: Annotated[int, Field(ge=0)] = 0
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    cacert: FilePath | None = None
    cert: FilePath | None = None
    key: FilePath | None = None
    sni: str | None = None
    insecure: bool = False
    ssh: Annotated[str | None, BeforeValidator(_ssh)] = None
    sentinels: Annotated[tuple[Address, ...], BeforeValidator(places.sentinels)] = ()
    service: Annotated[str | None, Field(min_length=1)] = None
    sentinel_user: str | None = None
    sentinel_password: SecretStr | None = None
    map: Annotated[tuple[tuple[Address, Address], ...], BeforeValidator(places.mapped)] = ()
    connect_timeout: Seconds = 5.0
    command_timeout: Seconds = 5.0
    name: str | None = None
    environment: str | None = None

    interval: Annotated[float, Field(ge=0.1, le=60, allow_inf_nan=False)] = 1.0
    theme: Literal["pymon-dark", "pymon-light", "pymon-16"] | None = None
    color: Annotated[Literal["auto", "truecolor", "256", "16"], BeforeValidator(str)] = "auto"
    graph: Literal["blocks", "braille", "ascii"] = "blocks"
    read_only: bool = False
    full_redraw: bool = False
    channels: Annotated[tuple[str, ...], BeforeValidator(items)] = ("notifications:*",)
    keymap: dict[str, str] = Field(default_factory=dict)

    protected: tuple[Pattern, ...] = ()
    protected_from: tuple[str, ...] = ()
    max_keys: Annotated[int, Field(ge=1)] = 1_000_000
    type_above: Annotated[int, Field(ge=0)] = 10_000
    ping_ceiling: Annotated[float, Field(ge=0.1, le=1000, allow_inf_nan=False)] = 5.0
    rate: Annotated[int, Field(ge=1)] | None = None
    trash_size: Size = ByteSize(256 * 2**20)
    trash_key_size: Size = ByteSize(16 * 2**20)
    journal_keep: Annotated[int, Field(ge=1)] = 10_000
    presets: tuple[Preset, ...] = BUILT_IN

    primary_known: bool = False
    way: tuple[str, ...] = ()
    config: Path | None = None
    profiles: tuple[Profile, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the arguments: the levels above the defaults are ``load``'s, each with its origin."""
        return (init_settings,)

    @property
    def explicit(self) -> bool:
        """Whether any level names a server; without, the default address is only a guess."""
        named = self.ssh is not None or bool(self.sentinels)
        return named or not self.model_fields_set.isdisjoint(("host", "port", "socket"))

    @property
    def endpoint(self) -> Endpoint:
        """The server to monitor."""
        service = Service(self.service or "", self.sentinels, self.sentinel_user, self.sentinel_password)
        tls = Tls(
            ca_certs=self.cacert,
            certfile=self.cert,
            keyfile=self.key,
            server_name=self.sni,
            verify=not self.insecure,
        )
        return Endpoint(
            host=self.host,
            port=self.port,
            socket=self.socket,
            db=self.db,
            username=self.username,
            password=self.password,
            tls=tls if self.tls else None,
            connect_timeout=self.connect_timeout,
            command_timeout=self.command_timeout,
            name=self.name,
            environment=self.environment,
            via=self.ssh,
            read_only=self.read_only,
            mapped=self.map,
            service=service if self.sentinels and not self.primary_known else None,
            watched=service if self.primary_known else None,
            way=self.way,
        )
