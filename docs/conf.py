"""The docs site (`make docs`): the pages of the repository where they lie, so that a link works here as it does there.

Nothing is fetched: a theme that comes with Sphinx, no web fonts, no scripts from elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rooftop

if TYPE_CHECKING:
    from sphinx.application import Sphinx

REPO = Path(__file__).resolve().parents[1]
PAGES = ("docs/api", "docs/method", "docs/roofs", "docs/targets", "docs/inputs", "docs/outputs")
SECTIONS = {
    "Start · 开始": ("self", "README.zh", "docs/gallery", "notebooks/01_quickstart", "data/demo/README"),
    "Guide · 说明": PAGES,
    "Reference · 接口": ("docs/reference",),
    "Project · 项目": ("docs/decisions", "CHANGES", "CONTRIBUTING"),
}

project = "rooftop"
version = release = rooftop.__version__
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/*.rst", "notebooks/*.py", "data/demo/README.md"]
exclude_patterns = [".*", "build", "dist", "out", "runs", "src", "tests", "benchmarks", "configs"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext", ".py": "markdown"}
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
default_role = "literal"
autodoc_typehints = "none"
autodoc_member_order = "alphabetical"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "alabaster"
html_theme_options = {
    "description": "Rooftop PV potential of a city, and whether it meets what the city has promised",
    "page_width": "1200px",
    "body_max_width": "none",
}
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False


def contents() -> str:
    """The tables of contents of the start page."""
    return "".join(
        "\n".join(("", "```{toctree}", ":hidden:", f":caption: {title}", *pages, "```", ""))
        for title, pages in SECTIONS.items()
    )


def unlinked(text: str, folder: Path) -> str:
    """Keep the words of links that lead to a folder: a site of pages has none."""

    def words(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    return re.sub(r"\[([^\]]+)\]\(([^)#:]+)\)", words, text)


def notebook_page(script: str) -> str:
    """A script in the percent format as Markdown, each cell of code followed by what it prints."""
    names: dict[str, Any] = {}
    parts: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        script = script.replace("tempfile.mkdtemp(", f"tempfile.mkdtemp(dir={scratch!r}, ")
        for cell in re.split(r"^# %%", script, flags=re.M)[1:]:
            kind, _, body = cell.partition("\n")
            if "[markdown]" in kind:
                parts.append(re.sub(r"^# ?", "", body, flags=re.M))
                continue
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile(body, "notebook", "exec"), names)
            shown = body.replace(f"dir={scratch!r}, ", "").strip()
            parts.append(f"```python\n{shown}\n```\n")
            if said.getvalue():
                parts.append(f"```text\n{said.getvalue().replace(scratch, '/tmp').rstrip()}\n```\n")
    return "\n".join(parts)


def read_page(app: Sphinx, name: str, source: list[str]) -> None:
    """Make a page of what a file of the repository says."""
    if name.startswith("notebooks/"):
        source[0] = notebook_page(source[0])
    source[0] = unlinked(source[0], (REPO / name).parent)
    if name == root_doc:
        source[0] += contents()


def write_entrance(app: Sphinx, failed: Exception | None) -> None:
    """Let the site's folder open with its start page."""
    if failed is None:
        page = f'<!DOCTYPE html><title>{project}</title><meta http-equiv="refresh" content="0; url={root_doc}.html">\n'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", read_page)
    app.connect("build-finished", write_entrance)
