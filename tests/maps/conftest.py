import pytest

from amgan.maps.trends import Trends
from amgan.models.bundle import load_bundle


@pytest.fixture(scope="session")
def trends() -> Trends:
    """Those of the default model."""
    found = load_bundle().trends
    assert found is not None
    return found
