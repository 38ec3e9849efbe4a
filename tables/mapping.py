"""How do lines become rows? The columns' SQL, over what resource, service, region, unit, tags and details say."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from tables import units
from tables.columns import COLUMNS
from tables.regions import REGIONS
from tables.services import SERVICES
from tables.sql import name_of, text_literal

if TYPE_CHECKING:
    import duckdb

_RESOURCE_TYPE = "nullif(regexp_extract(ResourceURI, '(?i).*/providers/([^/]+/[^/]+)', 1), '')"
_OBJECT = "CASE WHEN left(ltrim({text}), 1) = '{{' THEN {text} ELSE '{{' || {text} || '}}' END"
# A price's details are JSON whose keys FOCUS does not know; those of others begin with x_.
_DETAILS = """'{' || array_to_string(
    list_transform(
        list_zip(json_keys(flat_details), json_extract(flat_details, '$.*')),
        lambda member: to_json('x_' || member[1])::VARCHAR || ': ' || member[2]::VARCHAR
    ), ', ') || '}'"""


def load_lookups(connection: "duckdb.DuckDBPyConnection") -> None:
    """Makes the tables that rows look their service and region up in."""
    services = [
        (key, service.name, service.category, service.subcategory)
        for service in SERVICES
        for key in (*service.resource_types, *service.names)
    ]
    connection.execute(
        f"CREATE TABLE services AS FROM (VALUES {_values(services)}) AS known (key, name, category, subcategory);"
        f"CREATE TABLE regions AS FROM (VALUES {_values(REGIONS.items())}) AS known (id, name)"
    )


def _values(rows: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(f"({', '.join(map(text_literal, row))})" for row in rows)


def usage_rows(lines: str, unknown: tuple[str, ...]) -> str:
    """A query of one row for each line of daily usage that `lines` selects, with the columns of unknown keys."""
    return f"""
        WITH parts AS (
            SELECT *,
                {_RESOURCE_TYPE} AS resource_type,
                {_flat_json("Tags")} AS flat_tags,
                {_flat_json("AdditionalInfo")} AS flat_details,
                CASE WHEN {units.IS_KNOWN} THEN {units.PARTS} END AS unit_parts,
                lower(replace(ResourceLocation, ' ', '')) AS place
            FROM ({lines})
        ), known AS (
            SELECT parts.*,
                {_DETAILS} AS price_details,
                {_unit()},
                regions.id AS region_id, regions.name AS region_name,
                {_service("MeterCategory", "'Other'", "'Other (Other)'")}
            FROM parts
            LEFT JOIN services AS by_type ON by_type.key = lower(resource_type)
            LEFT JOIN services AS by_name ON by_name.key = lower(MeterCategory)
            LEFT JOIN regions ON regions.id = place
        )
        SELECT {_columns("usage", unknown)} FROM known
    """  # noqa: S608


def invoice_rows(charges: str, unknown: tuple[str, ...]) -> str:
    """A query of one row for each that `charges` selects: a reconciliation line with what settling makes of it.

    It has the columns of unknown keys as well.
    """
    licence = "ProductId LIKE 'CFQ7%'"
    category = f"CASE WHEN {licence} THEN 'Business Applications' ELSE 'Other' END"
    return f"""
        WITH parts AS (
            SELECT *, CASE WHEN {units.IS_KNOWN} THEN {units.PARTS} END AS unit_parts FROM ({charges})
        ), known AS (
            SELECT parts.*,
                {_unit()},
                {_service("ProductName", category, f"'Other (' || {category} || ')'")}
            FROM parts
            LEFT JOIN services AS by_type ON false
            LEFT JOIN services AS by_name ON by_name.key = lower(ProductName)
        )
        SELECT {_columns("invoice", unknown)} FROM known
    """  # noqa: S608


def _columns(side: Literal["usage", "invoice"], unknown: tuple[str, ...]) -> str:
    known = (
        f"({column.usage if side == 'usage' else column.invoice})::{column.type} AS {column.name}" for column in COLUMNS
    )
    return ", ".join((*known, *map(name_of, unknown)))


def _unit() -> str:
    return f"""
        CASE WHEN unit_parts IS NOT NULL THEN {units.SIZE} END AS unit_size,
        CASE WHEN unit_parts IS NOT NULL THEN {units.NAME} ELSE UnitType END AS unit_name
    """


def _service(otherwise: str, category: str, subcategory: str) -> str:
    return f"""
        coalesce(by_type.name, by_name.name, {otherwise}, ProductName, 'Other') AS service_name,
        coalesce(by_type.category, by_name.category, {category}) AS service_category,
        coalesce(by_type.subcategory, by_name.subcategory, {subcategory}) AS service_subcategory
    """


def _flat_json(text: str) -> str:
    """The text as a JSON object, with braces around it if it has none; null if it is none, or not a flat one."""
    whole = _OBJECT.format(text=text)
    inside = f"substr({whole}, 2)"
    return f"""
        CASE WHEN json_valid({whole}) AND NOT (
            (contains({inside}, '{{') OR contains({inside}, '['))
            AND list_has_any(json_type({whole}, '$.*'), ['OBJECT', 'ARRAY'])
        ) THEN {whole} END
    """
