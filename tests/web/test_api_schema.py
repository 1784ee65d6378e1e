"""The OpenAPI document against the app: made-up requests never fail it, and answers are as described."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from remission.web.app import create_app
from remission.web.settings import WebSettings

app = create_app(WebSettings(n_replicates=2, hosts=("*",), is_operator=True, demonstrates=True))
schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.filterwarnings("ignore")
def test_made_up_requests_are_answered_as_described(case: Any) -> None:
    """No 5xx, no undescribed status, no answer that breaks its own schema."""
    # What a filter takes is what the registry holds, which a schema of texts does not say.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


pytest.importorskip("sqlalchemy")
_FOLDER = tempfile.TemporaryDirectory()  # removed when this process ends
bench_app = create_app(WebSettings(n_replicates=2, hosts=("*",), workbench=Path(_FOLDER.name) / "bench"))
bench_schema = schemathesis.openapi.from_asgi("/api/openapi.json", bench_app).include(
    path_regex="^/(design|runs|run/|analyze|blinding/guesses)"
)
_BENCH = bench_app.state.bench


@pytest.fixture(scope="module", autouse=True)
def _no_jobs() -> Iterator[None]:
    """Forms and pages are asked for here; no job is ever sent."""
    yield
    _BENCH.foreman.close()


@bench_schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.filterwarnings("ignore")
def test_the_workbench_answers_made_up_requests_of_who_came_in(case: Any) -> None:
    """With the token, what nobody meant to ask is still no error of the server."""
    case.call_and_validate(cookies={_BENCH.cookie: _BENCH.token}, excluded_checks=[positive_data_acceptance])
