"""The middleware as a browser sees it: cookies, logins, and an application whose Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.connection import connect
from pymon_tui.services.session import new_id
from pymon_tui.services.sessions import Sessions
from pymon_tui.services.web import SessionMiddleware, require_user, web_session
from tests.conftest import StartServer, client_of
from tests.services.clock import Clock
from tests.services.shop import shop

COOKIE = "session_id"


def browser(app: Any) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="https://shop.test")


def set_cookie(response: Response) -> Morsel[str] | None:
    """What the answer does to the cookie."""
    return SimpleCookie(response.headers.get("set-cookie", "")).get(COOKIE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(server: EmbeddedServer, redis: Redis, clock: Clock) -> AsyncIterator[Sessions]:
    async with connect(f"unix://{server.socket}", name="shop") as client:
        yield Sessions(client, clock=clock)


@pytest.fixture
def app(sessions: Sessions) -> FastAPI:
    return shop(sessions)


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with browser(app) as client:
        yield client


async def commands(redis: Redis) -> int:
    """Scripts that were called since the test began."""
    return int((await redis.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})["calls"])


async def test_a_login_sets_a_cookie_that_only_this_site_sees(visitor: AsyncClient, redis: Redis) -> None:
    assert (await visitor.get("/me")).status_code == 401
    cookie = set_cookie(await visitor.post("/login/42"))
    assert cookie is not None
    assert {name: value for name, value in cookie.items() if value} == {
        "max-age": "3600",
        "path": "/",
        "httponly": True,
        "secure": True,
        "samesite": "Strict",
    }
    assert await redis.exists(f"session:{cookie.value}")
    assert (await visitor.get("/me")).json() == {"user_id": "42"}
    assert (await visitor.get("/")).json() == "hello 42"


async def test_nobody_is_told_in_json(visitor: AsyncClient) -> None:
    response = await visitor.get("/me")
    assert response.status_code == 401
    assert response.json() == {"detail": "nobody is logged in"}
    assert response.headers["www-authenticate"] == "Cookie"
    assert set_cookie(response) is None
    assert (await visitor.get("/")).json() == "hello stranger"


async def test_who_asks_for_no_session_costs_nothing(visitor: AsyncClient, redis: Redis) -> None:
    await visitor.post("/login/42")
    await redis.config_resetstat()
    response = await visitor.get("/about")
    assert "set-cookie" not in response.headers
    assert "vary" not in response.headers
    assert await commands(redis) == 0


async def test_a_read_is_one_round_trip_however_often_it_is_asked_for(visitor: AsyncClient, redis: Redis) -> None:
    await visitor.post("/login/42")
    await visitor.get("/twice")
    await redis.config_resetstat()
    response = await visitor.get("/twice")
    assert response.text == "True 42"
    assert response.headers["vary"] == "Accept, Cookie"
    assert await commands(redis) == 1


async def test_the_cookie_lives_as_long_as_the_session(visitor: AsyncClient, redis: Redis, clock: Clock) -> None:
    cookie = set_cookie(await visitor.post("/login/42"))
    assert cookie is not None
    assert set_cookie(await visitor.get("/me")) is None
    await redis.expire(f"session:{cookie.value}", 60)
    clock.goes_on(minutes=1)
    assert set_cookie(await visitor.get("/me")) == cookie
    assert await redis.ttl(f"session:{cookie.value}") > 3500
    assert set_cookie(await visitor.get("/me")) is None


async def test_a_slow_answer_does_not_undo_a_login(sessions: Sessions) -> None:
    is_read, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> PlainTextResponse:
        session = await web_session(request)
        is_read.set()
        await may_answer.wait()
        session["slow"] = True
        return PlainTextResponse("late")

    app = shop(sessions)
    app.add_route("/slow", slow)
    async with browser(app) as visitor:
        await visitor.post("/cart/tea")
        late = asyncio.ensure_future(visitor.get("/slow"))
        await is_read.wait()
        await visitor.post("/login/42")
        may_answer.set()
        assert set_cookie(await late) is None
        assert (await visitor.get("/me")).json() == {"user_id": "42"}
        assert (await visitor.get("/cart")).json() == ["tea"]


async def test_what_was_changed_is_saved(visitor: AsyncClient, redis: Redis) -> None:
    assert set_cookie(await visitor.get("/cart")) is None
    assert await redis.dbsize() == 0
    for count, item in enumerate(["책", "tea"], start=1):
        assert (await visitor.post(f"/cart/{item}")).json() == count
    assert (await visitor.get("/cart")).json() == ["책", "tea"]
    await visitor.delete("/cart")
    assert (await visitor.get("/cart")).json() == []


async def test_requests_at_once_lose_nothing_of_each_other(visitor: AsyncClient, sessions: Sessions) -> None:
    await visitor.post("/login/42")
    await asyncio.gather(*(visitor.put(f"/settings/setting{number}") for number in range(20)))
    (session,) = await sessions.of_user("42")
    assert session.data == {f"setting{number}": True for number in range(20)}


async def test_a_login_rotates_the_id_and_keeps_the_cart(visitor: AsyncClient, sessions: Sessions) -> None:
    before = set_cookie(await visitor.post("/cart/tea"))
    after = set_cookie(await visitor.post("/login/42"))
    again = set_cookie(await visitor.post("/login/42"))
    assert before is not None
    assert after is not None
    assert again is not None
    assert len({before.value, after.value, again.value}) == 3
    assert await sessions.get(before.value) is None
    assert await sessions.get(after.value) is None
    assert (await visitor.get("/cart")).json() == ["tea"]
    assert await sessions.count("42") == 1


async def test_another_user_gets_nothing_of_the_one_before(visitor: AsyncClient, sessions: Sessions) -> None:
    await visitor.post("/login/42")
    await visitor.post("/cart/tea")
    await visitor.post("/login/43")
    assert (await visitor.get("/cart")).json() == []
    assert (await visitor.get("/me")).json() == {"user_id": "43"}
    assert await sessions.count("42") == 0
    await visitor.post("/cart/tea")
    await visitor.post("/relogin/43")
    assert (await visitor.get("/cart")).json() == []
    assert await sessions.count("43") == 1


async def test_a_logout_deletes_session_and_cookie(visitor: AsyncClient, sessions: Sessions, redis: Redis) -> None:
    await visitor.post("/login/42")
    stolen = dict(visitor.cookies)
    cookie = set_cookie(await visitor.post("/logout"))
    assert cookie is not None
    assert (cookie.value, cookie["max-age"], cookie["path"], cookie["secure"]) == ("", "0", "/", True)
    assert COOKIE not in visitor.cookies
    assert (await visitor.get("/me")).status_code == 401
    visitor.cookies.update(stolen)
    assert (await visitor.get("/me")).status_code == 401
    assert await redis.dbsize() == 0
    assert (await visitor.post("/logout")).status_code == 200


async def test_who_was_logged_out_everywhere_is_nobody(visitor: AsyncClient, sessions: Sessions) -> None:
    await visitor.post("/login/42")
    await sessions.delete_all("42")
    response = await visitor.get("/me")
    assert response.status_code == 401
    assert set_cookie(response) is None


@pytest.mark.parametrize(
    "value",
    ["", "x", new_id(), "*", "a" * 5000, "../../etc", "%00"],
    ids=["empty", "short", "well-formed", "glob", "long", "path", "escaped"],
)
async def test_a_made_up_cookie_is_nobody(visitor: AsyncClient, redis: Redis, value: str) -> None:
    response = await visitor.get("/me", headers={"Cookie": f"{COOKIE}={value}"})
    assert response.status_code == 401
    assert await redis.dbsize() == 0


async def test_nobody_can_plant_an_id(visitor: AsyncClient) -> None:
    planted = new_id()
    visitor.cookies.set(COOKIE, planted)
    cookie = set_cookie(await visitor.post("/login/42"))
    assert cookie is not None
    assert cookie.value != planted


async def test_a_request_that_fails_saves_nothing(visitor: AsyncClient, sessions: Sessions) -> None:
    await visitor.post("/login/42")
    with pytest.raises(LookupError):
        await visitor.post("/fail")
    with pytest.raises(ValueError, match="type object"):
        await visitor.get("/unsaveable")
    (session,) = await sessions.of_user("42")
    assert session.data == {}


async def test_changes_to_a_session_that_ended_meanwhile_are_dropped(sessions: Sessions, redis: Redis) -> None:
    async def ends_while_it_changes(request: Request) -> PlainTextResponse:
        session = await web_session(request)
        await sessions.delete(request.cookies[COOKIE])
        session["late"] = 1
        if request.url.path == "/login":
            session.login("42")
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/late", ends_while_it_changes), Route("/login", ends_while_it_changes)])
    app.add_middleware(SessionMiddleware, sessions=sessions)
    async with browser(app) as client:
        client.cookies.set(COOKIE, (await sessions.create("42", {"cart": ["tea"]})).id)
        assert set_cookie(await client.get("/late")) is None
        assert await redis.dbsize() == 0
        client.cookies.set(COOKIE, (await sessions.create("42", {"cart": ["tea"]})).id)
        cookie = set_cookie(await client.get("/login"))
    assert cookie is not None
    (session,) = await sessions.of_user("42")
    assert session.id == cookie.value
    assert session.data == {"late": 1}


async def test_starlette_alone_will_do(sessions: Sessions, clock: Clock) -> None:
    async def me(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await require_user(request))

    app = Starlette(routes=[Route("/me", me)])
    async with browser(app) as client:
        with pytest.raises(RuntimeError, match="add SessionMiddleware"):
            await client.get("/me")
    app = Starlette(routes=[Route("/me", me)])
    app.add_middleware(SessionMiddleware, sessions=sessions, cookie="sid", insecure=True)
    async with browser(app) as client:
        response = await client.get("/me")
        assert (response.status_code, response.json()) == (401, {"detail": "nobody is logged in"})
        session = await sessions.create("42", {})
        clock.goes_on(minutes=1)
        client.cookies.set("sid", session.id)
        response = await client.get("/me")
        assert response.text == "42"
        assert response.headers["set-cookie"] == f"sid={session.id}; Max-Age=3600; Path=/; HttpOnly; SameSite=Strict"


async def test_a_redis_that_is_away_logs_nobody_in_or_out(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as redis, browser(shop(Sessions(redis))) as visitor:
        await visitor.post("/login/42")
        cookies = dict(visitor.cookies)
        server.stop()
        for method, path in [("GET", "/me"), ("GET", "/"), ("GET", "/cart"), ("POST", "/logout"), ("POST", "/login/7")]:
            response = await visitor.request(method, path)
            assert response.status_code == 503
            assert response.json() == {"detail": "sessions are unavailable for now"}
            assert response.headers["retry-after"] == "5"
            assert "set-cookie" not in response.headers
        assert dict(visitor.cookies) == cookies
        assert (await visitor.get("/about")).status_code == 200
        visitor.cookies.clear()
        assert (await visitor.get("/")).json() == "hello stranger"
        assert (await visitor.get("/me")).status_code == 401
        assert (await visitor.post("/login/42")).status_code == 503


async def test_an_answer_that_cannot_be_saved_is_not_given(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as redis:

        async def change(request: Request) -> PlainTextResponse:
            session = await web_session(request)
            session["paid"] = True
            server.stop()
            return PlainTextResponse("paid")

        app = Starlette(routes=[Route("/pay", change)])
        app.add_middleware(SessionMiddleware, sessions=Sessions(redis))
        async with browser(app) as visitor:
            response = await visitor.get("/pay")
    assert (response.status_code, response.json()) == (503, {"detail": "sessions are unavailable for now"})


async def test_an_outage_is_logged_once_in_a_while_without_secrets(
    sessions: Sessions, redis: Redis, server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    session = await sessions.create("42", {})
    await redis.acl_setuser("shop", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-@scripting"])
    client = Redis(unix_socket_path=server.socket, username="shop", password="x")
    async with client, browser(shop(Sessions(client))) as visitor:
        visitor.cookies.set(COOKIE, session.id)
        for _ in range(5):
            assert (await visitor.get("/me")).status_code == 503
    (line,) = caplog.messages
    assert "NOPERM" in line
    assert session.id not in line


async def websocket(app: Any, cookie: str | None) -> list[dict[str, Any]]:
    """What the application says on its feed."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    scope = {"type": "websocket", "path": "/feed", "headers": headers, "query_string": b"", "subprotocols": []}
    await app(scope, receive, send)
    return said


async def test_websockets_have_sessions_too(
    app: FastAPI, sessions: Sessions, clock: Clock, own_server: StartServer
) -> None:
    session = await sessions.create("42", {})
    clock.goes_on(minutes=1)
    accepted, said, closed = await websocket(app, session.id)
    assert (accepted["type"], closed["type"]) == ("websocket.accept", "websocket.close")
    assert any(name == b"set-cookie" and session.id in value.decode() for name, value in accepted["headers"])
    assert said["text"] == '"feed of 42"'
    found = await sessions.get(session.id)
    assert found is not None
    assert found.data == {"feed": True}
    assert await websocket(app, None) == [{"type": "websocket.close", "code": 1008}]
    server = own_server()
    server.stop()
    async with client_of(server) as away:
        assert await websocket(shop(Sessions(away)), session.id) == [{"type": "websocket.close", "code": 1013}]


async def test_what_is_no_request_passes() -> None:
    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope)

    async with Redis() as nowhere:
        await SessionMiddleware(app, sessions=Sessions(nowhere))({"type": "lifespan"}, _nothing, _nothing)
    assert passed == [{"type": "lifespan"}]


async def _nothing(*_: Any) -> Any:
    return None
