"""What a host needs of a Durable extension, whoever plays its part."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from local.functions import Functions


class DurableExtension(Protocol):
    """Runs an app's orchestrators and activities."""

    def running(self, functions: Functions) -> AbstractAsyncContextManager[str]:
        """Works while the context is open; yields the JSON that the functions' Durable clients are made from."""
