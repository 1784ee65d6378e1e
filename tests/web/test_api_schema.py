"""The OpenAPI document against the app: made-up requests never fail it, and answers are as described."""

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
