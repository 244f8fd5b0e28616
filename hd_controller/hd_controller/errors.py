"""The errors a user can cause; each carries one sentence: what, where, expected, got, what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

MAX_SENTENCE = 1000
"""Longest text of an error; of a longer one the middle is left out."""


class HdError(ValueError):
    """Base of every error that bad input can raise; its text is meant to be shown to the user as it is.

    Such texts quote names of untrusted files: whatever is not printable, line ends among it, is escaped, so that no
    name can write lines of its own into a log.
    """

    def __init__(self, sentence: object = "") -> None:
        """Keep the sentence as one printable line of bounded length."""
        text = str(sentence)
        if len(text) > MAX_SENTENCE:
            text = f"{text[: MAX_SENTENCE // 2]} ... {text[-MAX_SENTENCE // 2 :]}"
        if not text.isprintable():
            text = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode()
                           for letter in text)
        super().__init__(text)


class MorphologyError(HdError):
    """A robot description that cannot be represented; names the link or joint and what to do."""


class BundleError(HdError):
    """A policy or generator bundle that must not be used; names the failed check."""


@contextmanager
def memory_refused(what: str = "The robot description") -> Iterator[None]:
    """Within it, or in a function it decorates, a lack of memory is a refusal of the robot, which a node outlives."""
    try:
        yield
    except MemoryError:
        raise MorphologyError(f"{what} needs more memory, with its meshes, than this process can get; simplify it or "
                              "give the process more.") from None
