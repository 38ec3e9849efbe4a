"""How a test changes what there is to export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.emulator.data import datasets

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call

INVOICE = {"invoiceId": "G016907411"}
PERIOD = {"currencyCode": "EUR", "billingPeriod": "last"}
BODIES = {name: INVOICE if dataset.about == "invoiceId" else PERIOD for name, dataset in datasets.DATASETS.items()}
DATASETS = pytest.mark.parametrize("dataset", BODIES)


def about(dataset: str) -> dict[str, Any]:
    """How a hook names what `BODIES` asks for."""
    body = BODIES[dataset]
    name = body.get("invoiceId") or body["currencyCode"]
    return {"about": name, "dataset": dataset, "billing_period": body.get("billingPeriod")}


@DATASETS
def test_own_data_can_be_given_to_one_dataset(call: Call, dataset: str) -> None:
    """With `use_data` its exports have these blobs and this eTag, and those of the others stay as they were."""
    caller = call()
    caller.emulator.use_data(**about(dataset), blobs={"part.json.gz": b"any bytes"}, e_tag="mine")
    e_tags = {name: caller.ended(name, body, "beta")["resourceLocation"]["eTag"] for name, body in BODIES.items()}
    assert [name for name, e_tag in e_tags.items() if e_tag == "mine"] == [dataset]
    assert caller.blobs(caller.ended(dataset, BODIES[dataset], "beta")["resourceLocation"]) == {
        "part.json.gz": b"any bytes"
    }


@DATASETS
def test_every_dataset_can_be_restated(call: Call, dataset: str) -> None:
    """Another revision has another eTag and other names; revision 0 is the original again."""
    caller = call()
    manifests = [caller.ended(dataset, BODIES[dataset], "beta")["resourceLocation"]]
    for revision in (1, 0):
        caller.emulator.restate(**about(dataset), revision=revision)
        manifests.append(caller.ended(dataset, BODIES[dataset], "beta")["resourceLocation"])
    original, restated, again = manifests
    assert restated["eTag"] != original["eTag"] == again["eTag"]
    assert not caller.blobs(restated).keys() & caller.blobs(original).keys()
    assert caller.blobs(again) == caller.blobs(original)


def test_data_of_a_period_stays_with_its_month(call: Call) -> None:
    """Data given to the current month is the last month's when the next one has begun, and no longer the current's."""
    caller = call()
    caller.emulator.use_data("EUR", {}, e_tag="October", dataset="unbilledUsage", billing_period="current")
    caller.clock.move(31 * 24 * 3600)
    bodies = [{"currencyCode": "EUR", "billingPeriod": period} for period in ("current", "last")]
    current, last = (caller.ended("unbilledUsage", body)["resourceLocation"]["eTag"] for body in bodies)
    assert last == "October" != current


def test_a_currency_that_was_not_the_partners_can_be_given_data(call: Call) -> None:
    """With `restate` there is generated data in any currency."""
    caller = call(currencies=())
    caller.emulator.restate("GBP", 0, dataset="unbilledReconciliation", billing_period="last")
    body = {"currencyCode": "GBP", "billingPeriod": "last"}
    rows = caller.rows(caller.ended("unbilledReconciliation", body)["resourceLocation"])
    assert {row["Currency"] for row in rows} == {"GBP"}
    assert caller.ended("unbilledUsage", body)["status"] == "failed"


@DATASETS
def test_exports_can_be_made_to_fail(call: Call, dataset: str) -> None:
    """With `fail` exports end with this error until there is data again; an operation that has ended stays so."""
    caller = call()
    caller.emulator.fail(**about(dataset), code="2000", message="Try again")
    url = caller.post(dataset, BODIES[dataset], "beta").headers["Location"]
    failed = caller.finished(url)
    caller.emulator.restate(**about(dataset), revision=0)
    assert failed["error"] == {"message": "Try again", "code": "2000"}
    assert caller.ended(dataset, BODIES[dataset], "beta")["status"] == "succeeded"
    assert caller.finished(url) == failed


def test_exports_fail_for_want_of_data_unless_told_otherwise(call: Call) -> None:
    """`fail` alone says what an invoice without data says; other invoices have theirs."""
    caller = call(invoices=("G1", "G2"))
    caller.emulator.fail("G1")
    first, second = (caller.finished(caller.start(invoice_id)) for invoice_id in ("G1", "G2"))
    assert first["error"] == {"message": "No data available", "code": "5000"}
    assert second["status"] == "succeeded"


def test_what_has_succeeded_can_be_read_though_exports_fail_now(call: Call) -> None:
    """The manifest of a finished operation leads to its data still."""
    caller = call()
    url = caller.start()
    before = caller.finished(url)["resourceLocation"]
    caller.emulator.fail("G016907411")
    assert caller.finished(url)["resourceLocation"]["eTag"] == before["eTag"]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"dataset": "usage"}, "no dataset 'usage'"),
        ({"dataset": "unbilledUsage"}, "'currencyCode' has an invalid value"),
        ({"dataset": "unbilledUsage"}, "'billingPeriod' is required"),
        ({"dataset": "billedUsage", "billing_period": "last"}, "'billingPeriod' does not exist"),
        ({"dataset": "unbilledUsage", "billing_period": "next"}, "'billingPeriod' has an invalid value"),
    ],
)
def test_a_hook_refuses_what_cannot_be_exported(call: Call, named: Any, said: str) -> None:
    """A mistake in a test shows at once, and not as an export that finds nothing."""
    with pytest.raises(ValueError, match=said):
        call().emulator.restate("G016907411", 1, **named)
