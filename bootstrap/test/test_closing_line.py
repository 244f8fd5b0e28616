"""Results are counted test by test, and the exit code tells what the closing line says."""
import pytest
from layout import Layout
from testing import Counts, WorkspaceTests, count_results

JUNIT = """<testsuites><testsuite name="pytest">
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="x"/></testcase>
<testcase name="d"><error message="x"/></testcase>
<testcase name="e"><skipped message="x"/></testcase>
</testsuite></testsuites>"""
ALL_PASSED = '<testsuites><testsuite><testcase name="a"/></testsuite></testsuites>'


def close(tmp_path, texts: dict[str, str | None], healthy: bool = True) -> int:
    """Close a run whose packages wrote these results."""
    results = {}
    for name, text in texts.items():
        results[name] = tmp_path / f"{name}.xml"
        if text is not None:
            results[name].write_text(text)
    return WorkspaceTests(Layout(tmp_path), None, {})._close(results, healthy)


def test_each_test_counts_once(tmp_path):
    (tmp_path / "x.xml").write_text(JUNIT)
    assert count_results(tmp_path / "x.xml") == Counts(passed=2, failed=2, skipped=1)


@pytest.mark.parametrize(
    ("texts", "line", "code"),
    [
        ({"a": ALL_PASSED}, "1 passed, 0 failed, 0 skipped", 0),
        ({"a": ALL_PASSED, "b": JUNIT}, "3 passed, 2 failed, 1 skipped", 1),
        ({"a": ALL_PASSED, "b": None}, "1 passed, 0 failed, 0 skipped", 1),
        ({"a": "<testsuites/>"}, "0 passed, 0 failed, 0 skipped", 1),
        ({"a": "half a fi"}, "0 passed, 0 failed, 0 skipped", 1),
    ],
)
def test_the_last_line_and_the_exit_code(tmp_path, capsys, texts, line, code):
    assert close(tmp_path, texts) == code
    assert capsys.readouterr().out.splitlines()[-1] == line


def test_a_run_that_broke_is_no_success(tmp_path):
    assert close(tmp_path, {"a": ALL_PASSED}, healthy=False) == 1
