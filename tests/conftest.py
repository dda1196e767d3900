"""What all tests share: where the corpora are, and hypothesis settings."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "partimento", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("partimento")

ROOT = Path(__file__).parent.parent


def data_root() -> Path:
    """Folder of the corpora: PARTIMENTO_DATA, or ../shared/data beside the checkout."""
    return Path(os.environ.get("PARTIMENTO_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's own cache out of the tests."""
    os.environ["PARTIMENTO_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The corpora, or a skip that says so."""
    root = data_root()
    if not (root / "README.md").is_file():
        pytest.skip(f"the corpora are not at {root}: set PARTIMENTO_DATA to run this test")
    return root
