"""What a profile says of the server that it names."""

from __future__ import annotations


def is_production(environment: str | None) -> bool:
    """Whether this names a place where mistakes are dear: ``production``, ``prod``, ``PROD-EU``."""
    return environment is not None and environment.strip().lower().startswith("prod")
