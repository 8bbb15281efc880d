"""Draw the rooms and who imports whom into CONTRIBUTING.md, from the imports themselves.

`python docs/rooms.py` draws; with `--check` it only says whether the drawing is still true (`make lint`).
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

import grimp

REPO = Path(__file__).resolve().parents[1]
PAGE = REPO / "CONTRIBUTING.md"
BEGIN, END = "<!-- rooms: drawn by docs/rooms.py -->\n", "<!-- /rooms -->\n"
PACKAGE = "rooftop"


def layers() -> list[list[str]]:
    """The rooms of the import contract, highest first; those that lie side by side are together."""
    settings = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "rooms")
    return [re.findall(r"\w+", layer) for layer in rooms["layers"]]


def imports(rooms: set[str]) -> dict[str, set[str]]:
    """Which rooms each room imports directly."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        room = module.split(".")[1] if "." in module else PACKAGE
        if room in rooms:
            reached = (other.split(".")[1] for other in graph.find_modules_directly_imported_by(module) if "." in other)
            found[room] |= {other for other in reached if other in rooms and other != room}
    return found


def beyond(room: str, arrows: dict[str, set[str]]) -> set[str]:
    """All that a room reaches over others, itself left out."""
    reached, waiting = set[str](), list(arrows[room])
    while waiting:
        other = waiting.pop()
        if other not in reached:
            reached.add(other)
            waiting.extend(arrows[other])
    return reached


def shortest(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows that no way over another room replaces."""
    return {
        room: {other for other in direct if not any(other in beyond(step, arrows) for step in direct - {other})}
        for room, direct in arrows.items()
    }


def drawing() -> str:
    """The rooms as a mermaid chart: what every room stands on is one box."""
    *upper, ground = layers()
    arrows = imports({room for layer in (*upper, ground) for room in layer})
    top = {
        room: {"ground" if other in ground else other for other in arrows[room]} for layer in upper for room in layer
    }
    lines = ["```mermaid", "flowchart TD", "    " + " & ".join(top), f'    ground["{" · ".join(sorted(ground))}"]']
    for room, direct in shortest(top | {"ground": set()}).items():
        if direct:
            lines.append(f"    {room} --> {' & '.join(sorted(direct))}")
    return "\n".join([*lines, "```"]) + "\n"


def main() -> int:
    """Draw, or say that the drawing is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the drawing is stale")
    check = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    drawn = before + BEGIN + drawing() + END + after
    if check and drawn != text:
        print(f"{PAGE.name}: the drawing of the rooms is stale; `make format` draws it anew", file=sys.stderr)
        return 1
    if drawn != text:
        PAGE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
