"""The parameters of a URL: what names the server, what TLS verifies, and what only tunes some client.

The names are those of redis-py (``from_url``), Celery (kombu's Redis transport), ioredis, Lettuce (``RedisURI``),
go-redis (``ParseURL``), Jedis, redis-rs and Predis. Standard library only, as ``url``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote

_DATABASES = ("db", "database", "virtual_host")  # redis-py and go-redis; Lettuce and Predis; Celery
_TLS_PATHS = {"ssl_ca_certs": "cacert", "ssl_certfile": "cert", "ssl_keyfile": "key"}
_INSECURE = {"none": True, "cert_none": True, "0": True, "required": False, "cert_required": False, "2": False}
KNOWN = ("db", "ssl_cert_reqs", *_TLS_PATHS)
"""What we have a setting for, as it is told; other names of the database are taken too."""

_TUNING = frozenset(
    # redis-py
    "socket_timeout socket_connect_timeout socket_read_timeout socket_keepalive socket_keepalive_options socket_type "
    "socket_read_size retry_on_timeout retry_on_error max_connections health_check_interval timeout protocol "
    "decode_responses encoding encoding_errors client_name lib_name lib_version driver_info family "
    "single_connection_client auto_close_connection_pool cache cache_config connection_class parser_class queue_class "
    "event_dispatcher legacy_responses maint_notifications_config retry cluster_error_retry_attempts "
    "dynamic_startup_nodes load_balancing_strategy read_from_replicas reinitialize_steps require_full_coverage "
    # Celery
    "visibility_timeout fanout_prefix fanout_patterns global_keyprefix queue_order_strategy priority_steps sep "
    "unacked_restore_limit "
    # go-redis
    "max_retries min_retry_backoff max_retry_backoff dial_timeout read_timeout write_timeout pool_fifo pool_size "
    "pool_timeout min_idle_conns max_idle_conns max_active_conns conn_max_idle_time conn_max_lifetime idle_timeout "
    "idle_check_frequency max_conn_age identity_suffix disable_identity conn_max_lifetime_jitter unstable_resp3 "
    "context_timeout_enabled read_only route_by_latency route_randomly max_redirects "
    # ioredis
    "key_prefix connect_timeout command_timeout connection_name max_retries_per_request lazy_connect keep_alive "
    "no_delay enable_ready_check enable_offline_queue enable_auto_pipelining auto_resubscribe string_numbers "
    "auto_resend_unfulfilled_commands max_loading_retry_time show_friendly_error_stack allow_username_in_uri "
    "reconnect_on_error offline_queue "
    # Lettuce and Jedis
    "library_name library_version "
    # Predis and others of PHP, Ruby
    "read_write_timeout persistent prefix alias weight retry_interval reconnect_attempts driver "
    # pools around a client
    "pool pool_max_size min_idle max_idle max_total max_active".replace("_", "").split()
)
"""Without underscores: ioredis' and Lettuce' own spelling is ``keyPrefix``."""


def read(query: str, *, through_ssh: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings in the part of a URL after ``?``, and the names of what tunes a client and is left out.

    ``through_ssh`` allows ``tls``, which a URL of ssh has no scheme for.

    Raises:
        ValueError: With what is wrong, to follow the URL. What is neither known nor tunes a client is refused: it may
            say who is to be trusted, or who we are.
    """
    parts: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _DATABASES:
            found: dict[str, Any] = {"db": database(value)}
        elif name == "tls" and through_ssh and value in ("true", "false"):
            found = {"tls": value == "true"}
        elif name in _TLS_PATHS:
            found = {_TLS_PATHS[name]: value}
        elif name == "ssl_cert_reqs" and value.lower() in _INSECURE:
            found = {"insecure": _INSECURE[value.lower()]}
        elif name.replace("_", "").lower() in _TUNING:
            left_out.append(name)
            continue
        else:
            told = f"has an unknown parameter, {quote(name)}, to be dropped if it only tunes a client"
            raise ValueError(f"{told}; known are {', '.join(KNOWN)}")
        if not parts.keys().isdisjoint(found):
            raise ValueError(f"has {name} twice; one value is meant")
        parts |= found
    return parts, tuple(dict.fromkeys(left_out))


def database(value: str) -> int:
    """The number of a database.

    Raises:
        ValueError: If it is none.
    """
    if not (value.isascii() and value.isdigit()):
        raise ValueError("should name the database by a number from 0")
    return int(value)
