"""The errors a user can cause; each carries one sentence: what, where, expected, got, what to do."""


class HdError(ValueError):
    """Base of every error that bad input can raise; its text is meant to be shown to the user as it is."""


class MorphologyError(HdError):
    """A robot description that cannot be represented; names the link or joint and what to do."""


class BundleError(HdError):
    """A policy or generator bundle that must not be used; names the failed check."""
