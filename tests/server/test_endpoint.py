"""An address as it is shown, and a password that never is."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from pymon_tui.model.deployment import Address
from pymon_tui.server.endpoint import Endpoint, Service, Tls


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (Endpoint(), "127.0.0.1:6379"),
        (Endpoint(host="db.example", port=7000, tls=Tls()), "db.example:7000"),
        (Endpoint(host="::1"), "[::1]:6379"),
        (Endpoint(socket="/run/redis.sock"), "/run/redis.sock"),
        (Endpoint(host="cache", via="me@bastion"), "cache:6379 via me@bastion"),
        (Endpoint(service=Service("main", ())), "service main"),
        (Endpoint(socket="/run/redis.sock", via="bastion"), "/run/redis.sock via bastion"),
    ],
)
def test_address(endpoint: Endpoint, address: str) -> None:
    assert endpoint.address == endpoint.label == address


def test_another_node_is_behind_the_same_bastion() -> None:
    assert Endpoint(name="orders", via="bastion").at(Address("10.0.0.7", 6380)).address == "10.0.0.7:6380 via bastion"


def test_another_node_is_where_its_address_is_mapped_to() -> None:
    announced, reached = Address("10.0.0.7", 6380), Address("::1", 7001)
    endpoint = Endpoint(mapped=((announced, reached),), service=Service("main", (announced,)))
    there = endpoint.at(Address("10.0.0.7", 6380))
    assert (there.address, there.service) == ("[::1]:7001", None)
    assert there.at(Address("10.0.0.7", 6380)) == there
    assert endpoint.at(Address("10.0.0.7", 6381)).address == "10.0.0.7:6381"


def test_a_name_stands_for_the_address() -> None:
    assert Endpoint(name="orders").label == "orders"


@pytest.mark.parametrize(
    ("endpoint", "logs_in"),
    [
        (Endpoint(), False),
        (Endpoint(password=SecretStr("")), False),
        (Endpoint(password=SecretStr("pw")), True),
        (Endpoint(username="guest"), True),
    ],
)
def test_logs_in_with_a_user_or_a_password(endpoint: Endpoint, *, logs_in: bool) -> None:
    assert endpoint.logs_in is logs_in


def test_never_shows_its_password() -> None:
    endpoint = Endpoint(username="mon", password=SecretStr("s3same"))
    assert "s3same" not in f"{endpoint} {endpoint!r} {endpoint.address} {endpoint.label}"
