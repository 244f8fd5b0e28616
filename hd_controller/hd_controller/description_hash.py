"""What ties a policy to the description it was generated for."""

import hashlib


def description_sha256(description: str) -> str:
    """SHA-256 (hex) of a description text."""
    return hashlib.sha256(description.encode("utf-8", "surrogatepass")).hexdigest()
