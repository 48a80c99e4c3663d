"""Somebody's app on Starlette, for uvicorn: it says who asks, takes uploads, sends events and speaks WebSocket.

Which event is sent next is told by another request, so that a reader need not trust the clock.
"""

import asyncio

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"]

events = asyncio.Queue()


async def who(request):
    """What the app was told, each header with all its values."""
    headers = [[name.decode(), value.decode()] for name, value in request.headers.raw]
    path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
    return JSONResponse({"method": request.method, "path": path, "query": query, "headers": headers})


async def upload(request):
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return JSONResponse({"size": size, "user": request.headers.get("remote-user")})


async def too_large(request):
    """An answer before the end of the body, which is never read."""
    return PlainTextResponse("no more of this", 413)


async def stream(request):
    async def all_events():
        while True:
            yield f"data: {await events.get()}\n\n"

    return StreamingResponse(all_events(), media_type="text/event-stream")


async def send(request):
    await events.put((await request.body()).decode())
    return PlainTextResponse("sent")


async def chat(websocket):
    await websocket.accept()
    await websocket.send_text(websocket.headers.get("remote-user", "nobody"))
    async for message in websocket.iter_bytes():
        await websocket.send_bytes(message)


app = Starlette(
    routes=[
        Route("/upload", upload, methods=["POST"]),
        Route("/too-large", too_large, methods=["POST"]),
        Route("/members/events", stream),
        Route("/send", send, methods=["POST"]),
        WebSocketRoute("/members/chat", chat),
        Route("/{path:path}", who, methods=ALL_METHODS),
    ]
)
