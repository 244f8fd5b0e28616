"""The part `interfaces`: every message and service of hd_msgs, as its own file documents it."""

from __future__ import annotations

from pathlib import Path

from markdown_table import escaped

FOLDER = Path(__file__).resolve().parents[2] / "hd_msgs"


def markdown() -> str:
    """One section for each interface file."""
    files = [*sorted((FOLDER / "msg").glob("*.msg")), *sorted((FOLDER / "srv").glob("*.srv"))]
    return "\n".join(_section(file) for file in files)


def _section(file: Path) -> str:
    comment, definition = split(file.read_text(encoding="utf-8"))
    return f"### {file.parent.name}/{file.stem}\n\n{comment}\n\n```text\n{definition}\n```\n"


def split(text: str) -> tuple[str, str]:
    """What the file says of the whole interface, as Markdown, and the rest of the file.

    The comment at the top counts up to the first empty line, unless it speaks of a field, which then follows at once.
    """
    lines = text.strip().splitlines()
    end = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if end and lines[end].strip() not in ("", "---"):
        end = 0
    paragraphs = "\n".join(escaped(line.removeprefix("#").strip()) for line in lines[:end])
    return paragraphs, "\n".join(lines[end:]).strip()
