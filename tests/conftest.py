"""What all tests share: where the real data are, a browser, and the proof that the wheel is what is tested."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
SHARED = REPO.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test the source tree where the installed wheel is wanted (`make test`)."""
    if os.environ.get("ROOFTOP_TESTS_WANT_WHEEL"):
        import rooftop

        place = Path(rooftop.__file__).resolve()
        if "site-packages" not in place.parts or REPO / "src" in place.parents:
            pytest.exit(f"the installed wheel is wanted, but rooftop comes from {place}", returncode=4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    no_data = pytest.mark.skip(reason=f"real data are not here: {SHARED / 'data'} is missing")
    no_browser = pytest.mark.skip(reason="no Chromium on PATH")
    for item in items:
        if item.get_closest_marker("real") and not (SHARED / "data").is_dir():
            item.add_marker(no_data)
        if item.get_closest_marker("browser") and find_chromium() is None:
            item.add_marker(no_browser)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository."""
    return REPO


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Third-party files for `real` tests (never part of the repository)."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data are not here: {SHARED / 'data'} is missing")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_truth() -> Path:
    """Reference results for `real` tests."""
    if not (SHARED / "truth").is_dir():
        pytest.skip(f"reference results are not here: {SHARED / 'truth'} is missing")
    return SHARED / "truth"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium for `browser` tests."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on PATH")
    return path


@pytest.fixture(scope="session")
def demo() -> Path:
    """The bundled example, as the installed package sees it."""
    from rooftop.core.resources import demo_dir

    return demo_dir()
