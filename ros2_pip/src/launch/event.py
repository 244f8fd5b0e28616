"""The base of all events."""


class Event:
    """Something that happened; handlers are asked about it one after another."""

    name = "launch.Event"
