"""An emulator of the partner billing API: for partners who test their own code, and for this project's tests.

`Emulator().app` is an ASGI app that plays Microsoft Graph (exports, operations, manifests), Partner Center (invoices)
and the storage that the exported blobs are read from. Its data is invented, plausible and the same for the same seed;
what goes wrong with it can be scripted.
"""

from local.emulator.azurite import AzuriteBlobs
from local.emulator.emulator import Emulator
from local.emulator.fault_script import InvalidScript, read_script, script_from_json
from local.emulator.faults import Answer, Fault
from local.emulator.options import EmulatorOptions

__all__ = [
    "Answer",
    "AzuriteBlobs",
    "Emulator",
    "EmulatorOptions",
    "Fault",
    "InvalidScript",
    "read_script",
    "script_from_json",
]
