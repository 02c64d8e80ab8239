"""The page's own addresses: what is shown on it and downloaded from it, and where the brush sends its drawing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.errors import AmganError

# A drawing of `CANVAS` pixels has a few thousand bytes.
_LARGEST_DRAWING = 4_000_000


def downloads(studio: Studio) -> APIRouter:
    """The addresses, each with the unguessable token of a session in it."""
    router = APIRouter()

    def session(token: str) -> Session:
        found = studio.by_token(token)
        if found is None:
            raise HTTPException(404, "this page was closed, and its photo deleted; open it again")
        return found

    @router.get("/session/{token}/picture.png")
    def picture(token: str) -> FileResponse:
        try:
            path, name = studio.picture(session(token))
        except AmganError as error:
            raise HTTPException(409, str(error)) from error
        return FileResponse(path, filename=name, background=BackgroundTask(path.unlink, missing_ok=True))

    @router.get("/session/{token}/recipe.json")
    def recipe(token: str) -> Response:
        asking = session(token)
        try:
            text = studio.recipe(asking).model_dump_json(indent=1, exclude_defaults=True)
        except AmganError as error:
            raise HTTPException(409, str(error)) from error
        assert asking.photo is not None
        name = quote(f"{Path(asking.photo.name).stem}-recipe.json", safe="")
        disposition = {"Content-Disposition": f"attachment; filename*=utf-8''{name}"}
        return Response(text + "\n", media_type="application/json", headers=disposition)

    @router.get("/session/{token}/sweep")
    def sweep(token: str) -> FileResponse:
        path = session(token).swept
        if path is None or not path.is_file():
            raise HTTPException(404, "there is no sweep; make one first")
        return FileResponse(path, filename=path.name)

    @router.get("/session/{token}/shown/{name}")
    def shown(token: str, name: str) -> FileResponse:
        path = session(token).folder / Path(name).name
        if not path.is_file():
            raise HTTPException(404, "there is a newer picture")
        return FileResponse(path)

    @router.post("/session/{token}/painting/{chosen}", status_code=204)
    async def painting(token: str, chosen: str, request: Request) -> None:
        asking = session(token)
        drawing = b""
        async for part in request.stream():
            drawing += part
            if len(drawing) > _LARGEST_DRAWING:
                raise HTTPException(413, "the drawing is too large")
        try:
            await asyncio.to_thread(studio.paint, asking, chosen, drawing)
        except AmganError as error:
            raise HTTPException(409, str(error)) from error

    return router
