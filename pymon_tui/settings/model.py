"""The settings, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pymon_tui.server import url
from pymon_tui.server.endpoint import Endpoint, Tls


def _patterns(value: Any) -> Any:
    # An environment variable is one text; a list (flags, TOML) keeps its patterns as they are.
    return tuple(value.split()) if isinstance(value, str) else value


def _path(value: Any) -> Any:
    return str(Path(value).expanduser()) if isinstance(value, str) else value


FilePath = Annotated[str, BeforeValidator(_path)]
Seconds = Annotated[float, Field(ge=0.1, le=600, allow_inf_nan=False)]


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
        channels: Patterns for PSUBSCRIBE.
        keymap: Keys of a binding by the binding's id.
        full_redraw: Draw whole screens instead of the cells that changed.
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
    channels: Annotated[tuple[str, ...], BeforeValidator(_patterns)] = ("notifications:*",)
    keymap: dict[str, str] = Field(default_factory=dict)

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
        return not self.model_fields_set.isdisjoint(("host", "port", "socket"))

    @property
    def endpoint(self) -> Endpoint:
        """The server to monitor."""
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
        )
