"""What a line says is said again in FOCUS's words."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from failures import UnknownShape
from local.emulator.data.meters import METERS
from local.emulator.data.regions import REGIONS as USED_REGIONS
from tables.arrange import arrange
from tables.attributes import USAGE
from tables.columns import COLUMNS
from tables.convert import convert
from tables.lines import understand
from tables.mapping import load_lookups, usage_rows
from tables.regions import REGIONS
from tables.services import SERVICES
from tables.table import tabulate

if TYPE_CHECKING:
    import duckdb

LINE = {
    "PartnerId": "partner",
    "SubscriptionId": "plan",
    "ProductId": "DZH318Z09118",
    "SkuId": "0856",
    "AvailabilityId": "DZH318ZF9C0D",
    "UsageDate": "2026-10-09T00:00:00Z",
    "ChargeStartDate": "2026-10-01T00:00:00Z",
    "ChargeEndDate": "2026-10-31T00:00:00Z",
    "BillingCurrency": "EUR",
    "PartnerName": "A partner",
    "PricingCurrency": "USD",
    "PCToBCExchangeRate": 0.9,
    "UnitPrice": 2,
    "PartnerEarnedCreditPercentage": 15,
    "EffectiveUnitPrice": 1.7,
    "Quantity": 3,
    "UnitType": "1 Hour",
    "PricingPreTaxTotal": 5.1,
    "BillingPreTaxTotal": 4.59,
}
Map = Callable[..., dict[str, Any]]


@pytest.fixture
def mapped(connection: "duckdb.DuckDBPyConnection", blob: Callable[..., Path], tmp_path: Path) -> Map:
    """The row of a line of daily usage with these attributes, others than the usual ones."""
    load_lookups(connection)

    def row(**attributes: object) -> dict[str, Any]:
        lines = understand(connection, blob(LINE | attributes), USAGE, tmp_path)
        found = connection.execute(usage_rows(lines.select(), lines.unknown))
        (values,) = found.fetchall()
        return dict(zip((column[0] for column in found.description), values, strict=True))

    return row


def test_money_stays_exact_and_prices_tell_what_the_credit_left(mapped: Map) -> None:
    """Or hubs would take the partner's earned credit for a commitment's saving."""
    row = mapped()
    assert (row["BilledCost"], row["EffectiveCost"]) == (Decimal("4.59"), Decimal("4.59"))
    assert (row["ListUnitPrice"], row["ListCost"]) == (1.8, 5.4)
    assert (row["ContractedUnitPrice"], row["ContractedCost"]) == (1.53, 4.59)
    assert (row["x_PartnerCreditApplied"], row["x_PartnerCreditRate"]) == ("true", "15")


def test_a_day_and_a_month_end_where_the_next_begin(mapped: Map) -> None:
    """Microsoft gives the last day, FOCUS the end."""
    row = mapped()
    texts = {name: str(row[name]) for name in ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodEnd")}
    assert texts == {
        "ChargePeriodStart": "2026-10-09 00:00:00",
        "ChargePeriodEnd": "2026-10-10 00:00:00",
        "BillingPeriodEnd": "2026-11-01 00:00:00",
    }
    assert str(row["x_ServicePeriodEnd"]) == "2026-11-01 00:00:00"


@pytest.mark.parametrize("date", ["2026-10-09", "2026-10-09T00:00:00.1234567Z", "2026-10-09T02:00:00+02:00"])
def test_a_time_is_read_in_whichever_form(mapped: Map, date: str) -> None:
    """Its day is UTC's."""
    assert str(mapped(UsageDate=date)["ChargePeriodStart"]) == "2026-10-09 00:00:00"


def test_usage_of_an_earlier_month_is_a_correction(mapped: Map) -> None:
    """It is billed a month late."""
    assert mapped()["ChargeClass"] is None
    assert mapped(UsageDate="2026-09-30T00:00:00Z")["ChargeClass"] == "Correction"


@pytest.mark.parametrize(
    ("tags", "flat", "raw"),
    [
        ('{"a": "b"}', '{"a": "b"}', None),
        ('"a": "b", "c": "d"', '{"a": "b", "c": "d"}', None),
        ('"a": "{b"', '{"a": "{b"}', None),
        ("", None, None),
        ('{"a": {"b": 1}}', None, '{"a": {"b": 1}}'),
        ("no JSON", None, "no JSON"),
    ],
)
def test_tags_are_flat_json_or_kept_as_they_came(mapped: Map, tags: str, flat: str | None, raw: str | None) -> None:
    """Microsoft leaves their braces out at times."""
    row = mapped(Tags=tags)
    assert (row["Tags"], row["x_Tags"]) == (flat, raw)


def test_details_of_a_price_have_keys_of_their_own(mapped: Map) -> None:
    """FOCUS keeps those without x_ for itself."""
    row = mapped(AdditionalInfo='{"ServiceType": "D2s v5", "vCPUs": 2}')
    assert row["SkuPriceDetails"] == '{"x_ServiceType": "D2s v5", "x_vCPUs": 2}'


@pytest.mark.parametrize(
    ("unit", "pricing", "consumed", "size"),
    [
        ("1 Hour", "Hours", "Hours", 1),
        ("100 Hours", "100 Hours", "Hours", 100),
        ("10K", "10000 Units", "Units", 10_000),
        ("1M", "1000000 Units", "Units", 1_000_000),
        ("1/Month", "Unit-Months", "Unit-Months", 1),
        ("1 GB/Month", "GB-Months", "GB-Months", 1),
        ("1 GiB/Hour", "GiB-Hours", "GiB-Hours", 1),
        ("1 TB", "TB", "TB", 1),
        ("1 GB Second", "GB-Seconds", "GB-Seconds", 1),
        ("Licenses", "Licenses", "Licenses", 1),
        ("1K Calls", "1000 Calls", "Calls", 1000),
        ("per ½ hour", "per ½ hour", "per ½ hour", None),
    ],
)
def test_units_are_written_as_focus_does(mapped: Map, unit: str, pricing: str, consumed: str, size: int | None) -> None:
    """What has no known form stays, without a size."""
    row = mapped(UnitType=unit)
    assert (row["PricingUnit"], row["ConsumedUnit"], row["x_PricingBlockSize"]) == (pricing, consumed, size)
    assert row["ConsumedQuantity"] == (3 * size if size else None)


def test_a_service_is_found_by_resource_type_or_by_name(mapped: Map) -> None:
    """Else it is Other, under the name that Microsoft gave."""

    def service(uri: str, category: str) -> tuple[str, ...]:
        row = mapped(ResourceURI=uri, MeterCategory=category)
        return row["ServiceName"], row["ServiceCategory"], row["ServiceSubcategory"]

    machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"
    assert service(machine, "Anything") == ("Virtual Machines", "Compute", "Virtual Machines")
    assert service("", "key vault") == ("Key Vault", "Security", "Secret Management")
    assert service("", "New Thing") == ("New Thing", "Other", "Other (Other)")


def test_services_have_one_category_and_keys_of_their_own() -> None:
    """A line is one service's."""
    keys = Counter(key for service in SERVICES for key in (*service.resource_types, *service.names))
    assert [key for key, count in keys.items() if count > 1] == []
    assert len({service.name for service in SERVICES}) == len(SERVICES) >= 150


def test_what_the_emulator_sells_is_known() -> None:
    """All its meters and regions."""
    known = {key for service in SERVICES for key in service.resource_types}
    assert {meter.resource_type.lower() for meter in METERS if meter.category.lower() not in _names()} <= known
    assert USED_REGIONS.keys() <= REGIONS.keys()


def _names() -> set[str]:
    return {name for service in SERVICES for name in service.names}


def test_the_columns_are_focus_57_and_then_our_own() -> None:
    """Custom columns begin with x_ and come last."""
    names = [column.name for column in COLUMNS]
    focus = [name for name in names if not name.startswith("x_")]
    assert (len(focus), names[:57], len(set(names))) == (57, focus, len(names))


def test_an_attribute_that_is_in_no_line_stops_the_table(blob: Callable[..., Path], tmp_path: Path) -> None:
    """With the keys that were found: one of them may be its new name."""
    line = {key: value for key, value in LINE.items() if key != "Quantity"} | {"UnitsUsed": 3}
    with pytest.raises(UnknownShape, match=r"daily usage has Quantity\. .*UnitsUsed") as refused:
        tabulate([blob(line)], None, tmp_path / "table.parquet")
    assert "4.59" not in refused.value.message


def test_unknown_keys_are_columns_of_the_table(blob: Callable[..., Path], tmp_path: Path) -> None:
    """Also where only some blobs have them."""
    import duckdb

    blobs = [blob(LINE, name="a.gz"), blob(LINE | {"NewKey": "new"}, name="b.gz")]
    tabulate(blobs, None, tmp_path / "table.parquet")
    with duckdb.connect() as connection:
        query = f"SELECT x_Source_NewKey FROM '{tmp_path / 'table.parquet'}' ORDER BY ALL"  # noqa: S608
        assert connection.execute(query).fetchall() == [("new",), (None,)]


def test_each_file_of_a_table_has_the_columns_of_all(blob: Callable[..., Path], tmp_path: Path) -> None:
    """Readers take files by the columns of the first."""
    import duckdb

    columns = {"x_Source_Another", "x_Source_NewKey", "x_Source_newKEY"}
    unknown: dict[str, dict[str, str]] = {
        "1": {},
        "2": {"NewKey": "new"},
        "3": {"newKEY": "too"},
        "4": {"Another": "one"},
    }
    for name, keys in unknown.items():
        found = convert(blob(LINE | keys, name=f"{name}.gz"), tmp_path / f"part-{name}.parquet")
        assert found.columns == {f"x_Source_{key}" for key in keys}
        arrange([tmp_path / f"part-{name}.parquet"], tmp_path / f"table-{name}.parquet", columns=columns)
    with duckdb.connect() as connection:
        query = f"SELECT x_Source_NewKey, x_Source_Another FROM '{tmp_path}/table-*.parquet'"  # noqa: S608
        assert connection.execute(query).fetchall() == [(None, None), ("new", None), ("too", None), (None, "one")]
