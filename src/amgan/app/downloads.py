"""Where the page's download links lead: the picture as a PNG of full size, and the recipe."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.errors import AmganError


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
            path = studio.picture(session(token))
        except AmganError as error:
            raise HTTPException(409, str(error)) from error
        return FileResponse(path, filename=path.name, background=BackgroundTask(path.unlink, missing_ok=True))

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

    return router
