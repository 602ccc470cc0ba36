"""The stack under test is that of the end-to-end tests."""

from tests.e2e.conftest import api_url, call, stage, token

__all__ = ["api_url", "call", "stage", "token"]
