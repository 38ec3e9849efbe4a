"""Why can what a caller asks for not be taken?"""


class InvalidRequest(ValueError):
    """The caller's request cannot be taken. `faults` names every fault: (field, or "" for the whole, sentence)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(f"{field}: {sentence}" if field else sentence for field, sentence in faults))
        self.faults = tuple(faults)
