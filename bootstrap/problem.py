"""The one error of the bootstrap."""


class SetupProblem(Exception):
    """Something is missing or failed; the message is one sentence that says what, and what to do."""
