"""Tests that cross packages; the tests themselves are in `test/`."""
