"""Code blocks of the documentation, and what their marks ask for.

The word after a fence says the language; after `sh` and `python` comes one of

    test                executed with every run of the tests
    slow                executed with the slow tier
    skip: REASON        not executed

and any language but `sh` may say `file: NAME`: the text is saved under that name, for the blocks below it.

After `test` and `slow` may stand any of `until="TEXT"` (the program runs on, while the blocks below it do, once it has
printed that; Ctrl-C ends it at the end of the page or at the next such block), `prints="TEXT"` and `status="N"` (what
the block must print, and its exit code). CONTRIBUTING.md tells writers.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
EXECUTED = ("sh", "python")
SHOWN = ("text", "yaml", "xml", "{toctree}")
OPTIONS = ("until", "prints", "status")
_MARK = re.compile(r'(test|slow)((?: \w+="[^"]*")*)')
_SKIP = re.compile(r"skip: \S.*")
_FILE = re.compile(r"file: ([\w.]+)")
_COMMAND = re.compile(r"\bros2 (run|launch) ([a-z]\w*) ([\w.]+)((?:[^\n`#\\]|\\\n)*)")


@dataclass(frozen=True)
class CodeBlock:
    """One block of a page."""

    page: Path
    line: int
    language: str
    mark: str
    """test, slow, skip, file; empty where nothing is to be executed."""
    text: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Ros2Command:
    """A `ros2 run` or `ros2 launch` that a page shows, in a block or in a sentence."""

    verb: str
    package: str
    target: str
    arguments: str


def pages() -> list[Path]:
    """README, CONTRIBUTING and every page of the site."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def parse_mark(info: str) -> tuple[str, str, dict[str, str]]:
    """Language, mark and options of the text after a fence; ValueError where it says nothing that is known."""
    language, _, rest = info.strip().partition(" ")
    name = _FILE.fullmatch(rest)
    if name is not None and language != "sh":
        return language, "file", {"file": name.group(1)}
    if language in SHOWN and not rest:
        return language, "", {}
    if language not in EXECUTED:
        raise ValueError(f"'{info}': expected one of {', '.join((*EXECUTED, *SHOWN))}")
    if _SKIP.fullmatch(rest):
        return language, "skip", {}
    match = _MARK.fullmatch(rest)
    if match is None:
        raise ValueError(f"'{info}': expected '{language} test', '{language} slow' or '{language} skip: REASON'")
    options = dict(re.findall(r'(\w+)="([^"]*)"', match.group(2)))
    if not set(options) <= set(OPTIONS):
        raise ValueError(f"'{info}': known options are {', '.join(OPTIONS)}")
    return language, match.group(1), options


def code_blocks(page: Path) -> list[CodeBlock]:
    """All blocks of a page in their order.

    Raises:
        ValueError: a mark is unknown, or code is indented instead of fenced, so that it could carry no mark.
    """
    blocks = []
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type not in ("fence", "code_block"):
            continue
        place = f"{page.relative_to(ROOT)}:{token.map[0] + 1}"
        if token.type == "code_block":
            raise ValueError(f"{place}: indented code; put it between fences, with its language and mark")
        try:
            language, mark, options = parse_mark(token.info)
        except ValueError as problem:
            raise ValueError(f"{place}: {problem}") from None
        blocks.append(CodeBlock(page, token.map[0] + 1, language, mark, token.content, options))
    return blocks


def ros2_commands(page: Path) -> list[Ros2Command]:
    """Every `ros2 run` and `ros2 launch` of a page, wherever it stands."""
    found = _COMMAND.findall(page.read_text(encoding="utf-8"))
    return [Ros2Command(verb, package, target.rstrip("."), rest) for verb, package, target, rest in found]
