"""Who may open the operator's page, and where it is."""

import socket

import pytest

from hd_controller.errors import HdError
from hd_sim_bridge.web_viewer.access import AccessRules, is_loopback, read_token, rules_for
from hd_sim_bridge.web_viewer.page_address import free_port, page_address

TOKEN = "a-token-of-some-length"


def test_without_a_token_only_this_computer_and_its_own_pages_are_let_in():
    rules = AccessRules()
    assert not rules.judge("/", {"Host": "127.0.0.1:8080"}, 8080).refusal
    assert not rules.judge("/", {"Host": "localhost:9", "Origin": "http://localhost:9"}, 8080).refusal
    assert not rules.judge("/", {"Host": "[::1]:8080"}, 8080).refusal
    for headers in ({"Host": "robot.example:8080"}, {"Host": "192.168.1.4:8080"}, {},
                    {"Host": "localhost:8080", "Origin": "http://evil.example"},
                    {"Host": "localhost:8080", "Origin": "null"}, {"Host": "localhost:8080", "Origin": "http://localhost:1"},
                    {"Host": "["}):
        assert rules.judge("/", headers, 8080).refusal, headers


def test_with_a_token_the_address_sets_a_cookie_that_lets_the_page_in():
    rules, host = AccessRules(TOKEN), {"Host": "robot.example:8080", "Origin": "http://robot.example:8080"}
    assert "needs its token" in rules.judge("/", host, 8080).refusal
    assert rules.judge("/?token=wrong", host, 8080).refusal
    assert rules.judge("/?token=", host, 8080).refusal
    verdict = rules.judge(f"/?token={TOKEN}", host, 8080)
    assert not verdict.refusal and "HttpOnly; SameSite=Strict" in verdict.cookie
    cookie = verdict.cookie.split(";")[0]
    assert not rules.judge("/", {**host, "Cookie": f"other=1; {cookie}"}, 8080).refusal
    assert rules.judge("/", {**host, "Cookie": cookie[:-1]}, 8080).refusal
    assert rules.judge("/", {**host, "Cookie": cookie}, 8081).refusal, "of another page on this computer"
    assert rules.judge(f"/?token={TOKEN}", {**host, "Origin": "http://evil.example"}, 8080).refusal


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_addresses_of_this_computer_alone_need_no_token(host):
    assert is_loopback(host) and rules_for(host, "").token == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "robot", "", "localhost.example"])
def test_any_other_address_takes_a_token_that_nobody_can_guess(host):
    first, second = rules_for(host, "").token, rules_for(host, "").token
    assert len(first) >= 20 and first != second


def test_a_token_file_is_used_everywhere(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    assert rules_for("127.0.0.1", str(file)).token == rules_for("0.0.0.0", str(file)).token == TOKEN


@pytest.mark.parametrize("content", [b"", b"short", b"with spaces in between", b"semicolon;semicolon;semicolon",
                                     b"\xff" * 20, b"x" * 201])
def test_a_token_file_without_a_good_token_is_refused(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(HdError, match="token file"):
        read_token(file)


def test_a_token_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(HdError, match="cannot be read"):
        rules_for("0.0.0.0", str(tmp_path / "none"))


def test_the_next_free_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) <= port + 20


@pytest.mark.parametrize(("host", "port", "sentence"), [
    ("192.0.2.7", 8080, "cannot listen at '192.0.2.7'"), ("no.such.host.invalid", 8080, "cannot listen at"),
    ("127.0.0.1", 0, "expected 1 to 65535"), ("127.0.0.1", 70000, "expected 1 to 65535")])
def test_an_address_that_cannot_be_listened_at_is_one_sentence(host, port, sentence):
    with pytest.raises(HdError, match=sentence):
        free_port(host, port)


def test_the_printed_address_can_be_opened():
    assert page_address("127.0.0.1", 8080) == "http://127.0.0.1:8080/"
    assert page_address("::1", 8080) == "http://[::1]:8080/"
    assert page_address("0.0.0.0", 8081, TOKEN) == f"http://{socket.gethostname()}:8081/?token={TOKEN}"
