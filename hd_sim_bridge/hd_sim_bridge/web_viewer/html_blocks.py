"""Words as HTML. Whatever is not written here is escaped: names in a robot file are no markup. Needs no ROS."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from hd_sim_bridge.web_viewer.words import BAD, GOOD, WAITING, Words

COLOURS = {GOOD: "#1f8a4c", WAITING: "#b7791f", BAD: "#c81e1e"}
STOP_STYLE = """<style>
div:has(> .hd-stop) + div button, div:has(> div > .hd-stop) + div button
{ height: 4.2em !important; font-size: 1.15em; font-weight: 800; letter-spacing: 0.06em; }
div:has(> .hd-narrow) + div, div:has(> div > .hd-narrow) + div { position: fixed; top: 0.5em; right: 0; width: 16em; }
@media (min-width: 36em) { div:has(> .hd-narrow) + div, div:has(> div > .hd-narrow) + div { display: none; } }
</style>"""
BIG_BUTTON = f'{STOP_STYLE}<span class="hd-stop"></span>'
"""Makes the button after it big: viser's own buttons have one size."""
BIG_BUTTON_OF_NARROW_WINDOWS = f'{STOP_STYLE}<span class="hd-stop hd-narrow"></span>'
"""The same for phones alone, where viser makes all panels one sheet: it stays in a corner of the window."""
LONGEST = 400
"""Characters of one sentence that are shown."""


def status_block(words: Words, robot: str, heard: str) -> str:
    """The headline in its colour, the robot, and sentences."""
    lines = [f'<div data-hd="headline" style="background:{COLOURS[words.mood]};color:white;border-radius:4px;'
             f'padding:0.3em 0.6em;font-size:1.25em;font-weight:700">{_text(words.headline)}</div>',
             f'<div data-hd="robot" style="font-weight:600;margin-top:0.3em">{_text(robot)}</div>']
    return _frame(lines + _sentences((*words.sentences, heard)))


def words_block(words: Words) -> str:
    """A headline with a coloured dot, and sentences."""
    return _frame([_dotted(words), *_sentences(words.sentences)])


def list_block(entries: Iterable[Words]) -> str:
    """Several of them, one under another."""
    lines: list[str] = []
    for words in entries:
        lines += [_dotted(words), *_sentences(words.sentences)]
    return _frame(lines or ["<i>Nothing heard yet.</i>"])


def answer_block(text: str, good: bool) -> str:
    """The answer to what the operator asked last."""
    return _frame([f'<div data-hd="answer" style="color:{COLOURS[GOOD if good else BAD]}">{_text(text)}</div>'])


def _dotted(words: Words) -> str:
    return f'<div><span style="color:{COLOURS[words.mood]}">&#9679;</span> <b>{_text(words.headline)}</b></div>'


def _sentences(sentences: Iterable[str]) -> list[str]:
    return [f'<div style="font-size:0.9em;margin-top:0.15em">{_text(sentence)}</div>'
            for sentence in sentences if sentence]


def _text(text: str) -> str:
    """Escaped, printable, not too long."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return escape(text if len(text) <= LONGEST else f"{text[:LONGEST]} ...")


def _frame(lines: list[str]) -> str:
    return f'<div style="padding:0.2em 0.8em 0.5em;overflow-wrap:anywhere">{"".join(lines)}</div>'
