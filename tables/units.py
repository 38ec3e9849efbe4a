"""How does FOCUS write Microsoft's units, and how many of them does a price stand for?

`1 GB/Month` becomes GB-Months, `10K` becomes 10000 Units, `100 Hours` stays.

Source: https://focus.finops.org/focus-specification/v1-2/ (Unit Format)
"""

_FORM = "^([0-9]{1,7})? *([KMB])?(?:(?:^| )([A-Za-z][A-Za-z ]*?))?(?:/([A-Za-z]+))?$"
_SIZES = "'KB', 'MB', 'GB', 'TB', 'PB', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'"
_SPANS = "second|minute|hour|day|week|month|year"

PARTS = f"regexp_extract(UnitType, '{_FORM}', ['count', 'scale', 'what', 'per'])"
"""SQL: what a unit's text is made of, each an empty text where it is not there."""

IS_KNOWN = f"regexp_full_match(UnitType, '{_FORM}')"
"""SQL: whether the text is of a form that is known."""

SIZE = """try_cast(
    coalesce(try_cast(unit_parts.count AS BIGINT), 1)
    * CASE unit_parts.scale WHEN 'K' THEN 1000 WHEN 'M' THEN 1000000 WHEN 'B' THEN 1000000000 ELSE 1 END
AS INTEGER)"""
"""SQL: how many units one price is for, from `unit_parts`."""

_WHAT = "CASE WHEN unit_parts.what = '' THEN 'Unit' ELSE unit_parts.what END"


def _plural(text: str) -> str:
    return f"CASE WHEN {text} IN ({_SIZES}) OR {text} LIKE '%s' THEN {text} ELSE {text} || 's' END"


NAME = f"""CASE
    WHEN unit_parts.per <> '' THEN rtrim({_WHAT}, 's') || '-' || {_plural("unit_parts.per")}
    WHEN regexp_matches(unit_parts.what, '(?i)^[KMGTP]i?B ({_SPANS})s?$')
    THEN replace({_plural("unit_parts.what")}, ' ', '-')
    ELSE {_plural(f"({_WHAT})")}
END"""
"""SQL: the unit as FOCUS writes it, from `unit_parts`."""
