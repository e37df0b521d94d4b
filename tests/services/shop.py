"""A small application: a shop with a cart, a login, a profile, and a feed of one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse

from pymon_tui.services.sessions import Sessions
from pymon_tui.services.web import SessionMiddleware, current_user, require_user, web_session
from pymon_tui.services.web_session import WebSession

SessionOf = Annotated[WebSession, Depends(web_session)]
User = Annotated[str, Depends(require_user)]
Perhaps = Annotated[str | None, Depends(current_user)]


def shop(sessions: Sessions) -> FastAPI:
    """The application, with its sessions there."""
    app = FastAPI()
    app.add_middleware(SessionMiddleware, sessions=sessions)

    @app.get("/about")
    async def about() -> str:
        return "a shop"

    @app.get("/")
    async def home(user_id: Perhaps) -> str:
        return f"hello {user_id or 'stranger'}"

    @app.get("/cart")
    async def cart(session: SessionOf) -> list[str]:
        items: list[str] = session.get("cart", [])
        return items

    @app.post("/cart/{item}")
    async def put(item: str, session: SessionOf) -> int:
        session.setdefault("cart", []).append(item)
        return len(session["cart"])

    @app.put("/settings/{name}")
    async def set_(name: str, session: SessionOf) -> None:
        session[name] = True

    @app.delete("/cart")
    async def empty(session: SessionOf) -> None:
        del session["cart"]

    @app.post("/login/{user_id}")
    async def login(user_id: str, session: SessionOf) -> None:
        session.login(user_id)

    @app.post("/logout")
    async def logout(session: SessionOf) -> None:
        session.logout()

    @app.post("/relogin/{user_id}")
    async def relogin(user_id: str, session: SessionOf) -> None:
        session.logout()
        session.login(user_id)

    @app.get("/me")
    async def me(user_id: User) -> dict[str, str]:
        return {"user_id": user_id}

    @app.post("/fail")
    async def fail(session: SessionOf) -> None:
        session["failed"] = True
        raise LookupError("the application fails")

    @app.get("/unsaveable")
    async def unsaveable(session: SessionOf) -> None:
        session["what"] = object()

    @app.get("/twice")
    async def twice(session: SessionOf, again: SessionOf, user_id: Perhaps) -> PlainTextResponse:
        return PlainTextResponse(f"{session is again} {user_id}", headers={"Vary": "Accept"})

    @app.websocket("/feed")
    async def feed(socket: WebSocket, user_id: User, session: SessionOf) -> None:
        session["feed"] = True
        await socket.accept()
        await socket.send_json(f"feed of {user_id}")
        await socket.close()

    return app
