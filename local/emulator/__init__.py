"""An emulator of the partner billing API: for partners who test their own code, and for this project's tests.

`Emulator().app` is an ASGI app that plays Microsoft Graph (exports, operations, manifests), Partner Center (invoices)
and the storage that the exported blobs are read from. Its data is invented, plausible and the same for the same seed.
"""

from local.emulator.azurite import AzuriteBlobs
from local.emulator.emulator import Emulator
from local.emulator.options import EmulatorOptions

__all__ = ["AzuriteBlobs", "Emulator", "EmulatorOptions"]
