"""Debian's Chromium without a network: opens a file, and keeps what the console said and what the page asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Opened:
    """A page, its console errors, and every address it asked for beyond the file itself."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def absent() -> str | None:
    """Why no browser can be driven here; None when one can."""
    if not CHROMIUM.exists():
        return f"no Chromium at {CHROMIUM}"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return None


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser for several pages; the test is skipped where there is none."""
    reason = absent()
    if reason is not None:
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = 1280, height: int = 800, *, touch: bool = False
) -> Iterator[Opened]:
    """Open a file with the network blocked."""
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, has_touch=touch)
    page = context.new_page()
    seen = Opened(page)
    address = path.resolve().as_uri()

    def route(handler, request):
        if request.url == address:
            handler.continue_()
            return
        seen.requests.append(request.url)
        handler.abort()

    context.route("**/*", route)
    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.goto(address, wait_until="load")
    try:
        yield seen
    finally:
        context.close()
