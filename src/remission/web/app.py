"""The app: pages, their JSON, static files, errors, headers."""

from importlib import import_module
from pkgutil import iter_modules

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

import remission.web.pages
from remission.provenance import package_version
from remission.web import assets
from remission.web.bench.entry import open_bench
from remission.web.desk import Desk
from remission.web.problems import Problem, add_problem_handlers
from remission.web.security import Guard
from remission.web.settings import WebSettings


def create_app(settings: WebSettings | None = None) -> FastAPI:
    """The web app for the given settings, or the usual ones; every module of ``pages`` gives its routes."""
    settings = settings or WebSettings()
    app = FastAPI(
        title="Remission",
        summary="How ketamine may treat substance use disorder: evidence, a model, and what it cannot tell.",
        description="Research and education software, not medical advice. Every page is also a record: add .json.",
        version=package_version(),
        license_info={"name": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.desk = Desk(settings.n_replicates)
    app.state.bench = None if settings.workbench is None else open_bench(settings.workbench)
    app.include_router(assets.router)
    app.state.pages = []
    for module in iter_modules(remission.web.pages.__path__):
        router = import_module(f"remission.web.pages.{module.name}").router
        app.include_router(router.routes)
        app.state.pages += router.pages
    add_problem_handlers(app)
    _name_problem(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts))
    app.add_middleware(Guard)
    return app


def _name_problem(app: FastAPI) -> None:
    """Put the schema of errors into the OpenAPI document; they are answered by handlers, which it does not see."""
    original = app.openapi

    def openapi() -> dict[str, object]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            found = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= found.pop("$defs", {})
            schemas["Problem"] = found
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of extending the document
