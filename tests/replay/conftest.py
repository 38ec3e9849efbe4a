"""Both modes of the SDK's codec."""

import pytest


@pytest.fixture(params=["strict", "loose"])
def typing_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's strict typing mode, which the app runs under, and its default one, which warns of the SDK's own calls.

    The SDK reads its mode at each call.
    """
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", str(int(request.param == "strict")))
    if request.param == "loose":
        request.applymarker(pytest.mark.filterwarnings("ignore:.*df_loads:DeprecationWarning"))
