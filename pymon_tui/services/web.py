"""Sessions for Starlette and FastAPI: a middleware, and what a route depends on.

    app.add_middleware(SessionMiddleware, sessions=Sessions(redis))

    @app.get("/orders")
    async def orders(user_id: Annotated[str, Depends(require_user)]) -> ...

It needs the extra ``pymon-tui[web]``.
"""

from __future__ import annotations

import time

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pymon_tui.services.outage import Outage
from pymon_tui.services.session import Session
from pymon_tui.services.sessions import Sessions
from pymon_tui.services.web_session import LazySession, SessionsUnavailable, WebSession

_IN_SCOPE = "pymon_tui.session"
_RETRY_AFTER = "5"  # seconds
_BEGINNINGS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013  # as a websocket is closed


class NotLoggedIn(Exception):  # noqa: N818 - a state of the user, said as such
    """Somebody has to log in for this: the answer is 401, or a closed websocket."""


async def web_session(connection: HTTPConnection) -> WebSession:
    """The session of a request or websocket, to be read and changed until the answer begins.

    Raises:
        SessionsUnavailable: If the server can't be reached, or refuses; the middleware answers 503.
        RuntimeError: If there is no `SessionMiddleware`.
    """
    lazy = connection.scope.get(_IN_SCOPE)
    if not isinstance(lazy, LazySession):
        raise RuntimeError("there are no sessions: add SessionMiddleware to the application")
    return await lazy.load()


async def current_user(connection: HTTPConnection) -> str | None:
    """The id of the user who is logged in; None if it is certain that nobody is.

    Raises:
        SessionsUnavailable: If the server can't be reached, or refuses; the middleware answers 503.
    """
    return (await web_session(connection)).user_id


async def require_user(connection: HTTPConnection) -> str:
    """The id of the user who is logged in.

    Raises:
        NotLoggedIn: If nobody is; the middleware answers 401 with a JSON body.
        SessionsUnavailable: If the server can't be reached, or refuses; the middleware answers 503.
    """
    user_id = await current_user(connection)
    if user_id is None:
        raise NotLoggedIn
    return user_id


class SessionMiddleware:
    """Gives each request its session, by a cookie that scripts, plain HTTP and other sites never see.

    The cookie is set when a session begins or changes its id, again about once a minute of use, and deleted at logout.
    A session is read when it is asked for, and saved just before the answer begins, or a websocket is accepted: what is
    changed later is lost. Where that fails the answer is 503, and a request that fails otherwise saves nothing. Its
    place is within the application's own answer to errors: add it by ``add_middleware`` instead of wrapping it around.

    Attributes:
        outage: Counts how often the server didn't tell who is logged in, and logs it once in a while.
    """

    def __init__(self, app: ASGIApp, *, sessions: Sessions, cookie: str = "session_id", insecure: bool = False) -> None:
        """Wrap an application.

        Args:
            app: The application.
            sessions: Where they are.
            cookie: Its name.
            insecure: Whether browsers may send it without TLS: for development, where there is none.
        """
        self.outage = Outage("requests that need a session get 503", clock=time.monotonic)
        self._app = app
        self._sessions = sessions
        self._cookie = cookie
        self._attributes = f"Path=/; HttpOnly; SameSite=Strict{'' if insecure else '; Secure'}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        lazy = LazySession(self._sessions, HTTPConnection(scope).cookies.get(self._cookie))
        answer = _Answer(self, lazy, scope, receive, send)
        try:
            await self._app({**scope, _IN_SCOPE: lazy}, receive, answer.send)
        except NotLoggedIn:
            if answer.began:
                raise
            await answer.nobody()
        except SessionsUnavailable as error:
            if answer.began:
                raise
            await answer.unavailable(error)

    def cookie_of(self, session: Session | None) -> str:
        """What ``Set-Cookie`` says: the session as long as it lives, or none any more."""
        value, age = (session.id, int(self._sessions.life.total_seconds())) if session is not None else ("", 0)
        return f"{self._cookie}={value}; Max-Age={age}; {self._attributes}"


class _Answer:
    """What goes back, and whether it has begun: until then it can become another."""

    def __init__(self, middleware: SessionMiddleware, lazy: LazySession, scope: Scope, receive: Receive, send: Send):
        self.began = False
        self._middleware = middleware
        self._lazy = lazy
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_replaced = False

    async def send(self, message: Message) -> None:
        """Send what the application says, the session saved and its cookie set before."""
        if self._is_replaced:
            return
        if message["type"] in _BEGINNINGS and not self.began:
            self.began = True
            try:
                session = await self._lazy.save()
            except SessionsUnavailable as error:
                self._is_replaced = True
                await self.unavailable(error)
                return
            if self._lazy.read is not None:
                self._add_headers(message, self._lazy.read, session)
        await self._send(message)

    async def nobody(self) -> None:
        """Say that somebody has to log in."""
        headers = {"WWW-Authenticate": "Cookie"}
        await self._refuse(JSONResponse({"detail": "nobody is logged in"}, 401, headers), _POLICY_VIOLATION, self.send)

    async def unavailable(self, error: SessionsUnavailable) -> None:
        """Say that it isn't known who is logged in."""
        self._middleware.outage.failed(error)
        answer = JSONResponse({"detail": "sessions are unavailable for now"}, 503, {"Retry-After": _RETRY_AFTER})
        await self._refuse(answer, _TRY_AGAIN_LATER, self._send)

    async def _refuse(self, response: JSONResponse, code: int, send: Send) -> None:
        if self._scope["type"] == "http":
            await response(self._scope, self._receive, send)
        else:
            await send({"type": "websocket.close", "code": code})

    def _add_headers(self, message: Message, read: WebSession, session: Session | None) -> None:
        message.setdefault("headers", [])
        headers = MutableHeaders(scope=message)
        headers.add_vary_header("Cookie")  # a shared cache must not give it to others
        # No more often than it must be: a slow answer to an older request would undo a login that came in between.
        if read.ends if session is None else session.touched or session.id != self._lazy.id:
            headers.append("Set-Cookie", self._middleware.cookie_of(session))
