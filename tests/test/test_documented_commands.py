"""Executes the commands that the documentation shows, page by page, as a reader would."""

from pathlib import Path

import pytest

pytest.importorskip("markdown_it", reason="needs the documentation's packages (./hd test installs them)")
pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("hd_msgs.msg", reason="needs hd_msgs built and sourced")

from hd_system_tests.documentation import CodeBlock, code_blocks, pages
from hd_system_tests.domains import own_domain
from hd_system_tests.page_session import PageSession

DEADLINE_S = {"test": 300.0, "slow": 3600.0, "file": 1.0}
BLOCKS = {page.stem: code_blocks(page) for page in pages()}
QUICK = [name for name, blocks in BLOCKS.items() if any(block.mark == "test" for block in blocks)]
LONG = [name for name, blocks in BLOCKS.items() if any(block.mark == "slow" for block in blocks)]


def _execute(blocks: list[CodeBlock], folder: Path) -> None:
    with own_domain() as domain:
        variables = {"ROS_DOMAIN_ID": str(domain), "ROS_LOG_DIR": str(folder / "log")}
        with PageSession(folder, variables) as session:
            for block in blocks:
                session.execute(block, DEADLINE_S[block.mark])


@pytest.mark.integration
@pytest.mark.parametrize("page", QUICK)
def test_commands(page: str, tmp_path: Path) -> None:
    """Blocks marked `test` do what they are said to do."""
    _execute([block for block in BLOCKS[page] if block.mark in ("file", "test")], tmp_path)


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("page", LONG)
def test_long_commands(page: str, tmp_path: Path) -> None:
    """The same with the blocks marked `slow` in their places."""
    _execute([block for block in BLOCKS[page] if block.mark in ("file", "test", "slow")], tmp_path)


def test_a_block_that_fails_fails_the_test(tmp_path: Path) -> None:
    """Exit code, output and traceback are looked at."""
    page = pages()[0]
    with PageSession(tmp_path, {}) as session:
        for text, options, problem in (
            ("echo hello; exit 3", {}, "exit code 3"), ("echo hello", {"prints": "goodbye"}, "did not print 'goodbye'"),
            ("true", {"status": "1"}, "exit code 0, expected 1"), ("echo Traceback", {}, "a traceback"),
            ("false; true", {}, "exit code 1"),
        ):  # fmt: skip
            with pytest.raises(AssertionError, match=problem):
                session.execute(CodeBlock(page, 1, "sh", "test", text, options), 10.0)
