"""In what can one document be made to contradict another?"""

from typing import Literal, get_args

Difference = Literal["hidden-line", "doubled-line", "changed-total", "dropped-day", "shifted-rate", "renamed-customer"]
"""What is wrong on purpose, in all bills of a partner:

- the first line of the reconciliation that costs something is not there, or is there twice;
- the invoice's total in Partner Center is 100.00 more than its lines come to;
- daily usage has no first day of the month;
- every other resource's daily usage is billed at another exchange rate;
- the first customer has another name in the reconciliation than in daily usage.
"""

DIFFERENCES: tuple[Difference, ...] = get_args(Difference)


def read_difference(text: str) -> Difference:
    """The difference that a text names.

    Raises:
        ValueError: when it names none.
    """
    for difference in DIFFERENCES:
        if text == difference:
            return difference
    raise ValueError(f"'{text}' is no difference: give one of {', '.join(DIFFERENCES)}.")
