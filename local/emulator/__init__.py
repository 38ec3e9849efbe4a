"""An emulator of the partner billing API: for partners who test their own code, and for this project's tests.

`Emulator().app` is an ASGI app that plays Microsoft Graph (exports, operations, manifests), Partner Center (invoices)
and the storage that the exported blobs are read from. Its data is invented, plausible and the same for the same seed;
what goes wrong with it can be scripted. `data` makes the data, `services` answer, `faults` go wrong on purpose.
"""

from local.emulator.data.differences import Difference, read_difference
from local.emulator.data.events import Event
from local.emulator.emulator import Emulator
from local.emulator.faults.fault import Answer, Fault
from local.emulator.faults.script import InvalidScript, read_script, script_from_json
from local.emulator.options import EmulatorOptions
from local.emulator.services.azurite import AzuriteBlobs

__all__ = [
    "Answer",
    "AzuriteBlobs",
    "Difference",
    "Emulator",
    "EmulatorOptions",
    "Event",
    "Fault",
    "InvalidScript",
    "read_difference",
    "read_script",
    "script_from_json",
]
