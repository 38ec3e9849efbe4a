"""The datasets: where each is served, which bodies it takes, and when it has no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.emulator.data.datasets import DATASETS

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call

INVOICE = {"invoiceId": "G016907411"}
PERIOD = {"currencyCode": "EUR", "billingPeriod": "current"}
BODIES = {name: INVOICE if dataset.about == "invoiceId" else PERIOD for name, dataset in DATASETS.items()}
SERVED = [(name, version) for name, dataset in DATASETS.items() for version in dataset.versions]


@pytest.mark.parametrize(("dataset", "version"), SERVED)
@pytest.mark.parametrize("linked", [False, True])
def test_every_dataset_is_exported_in_the_same_way(call: Call, dataset: str, version: str, linked: bool) -> None:
    """Operation and manifest are below the version that was asked, and the manifest leads to the dataset's blobs."""
    caller = call(linked_manifest=linked)
    started = caller.post(dataset, BODIES[dataset], version)
    root = f"http://127.0.0.1:7072/{version}/reports/partners/billing"
    assert started.headers["Location"].startswith(f"{root}/operations/")
    operation = caller.finished(started.headers["Location"])
    link = operation.get("resourceLocation@odata.navigationLink", f"{root}/manifests/")
    assert link.startswith(f"{root}/manifests/")
    manifest = caller.send("GET", link).json() if linked else operation["resourceLocation"]
    assert manifest["rootDirectory"].startswith(f"http://127.0.0.1:7072/exports/{dataset}/")
    assert manifest["blobCount"] == 2
    assert len(caller.rows(manifest)) == sum(blob["itemCount"] for blob in manifest["blobs"]) > 0


def test_aggregated_usage_is_in_beta_alone(call: Call) -> None:
    """Version 1.0 answers 404 with Graph's error body, as for any path that it does not know."""
    response = call().post("billedAggregatedUsage", INVOICE)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NotFound"
    assert response.json()["error"]["innerError"]["request-id"] == response.headers["request-id"]


@pytest.mark.parametrize("dataset", ["billedUsage", "billedReconciliation", "billedAggregatedUsage"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "'invoiceId' is required"),
        ({"invoiceId": ""}, "'invoiceId' has an invalid value"),
        (INVOICE | {"billingPeriod": "last"}, "'billingPeriod' does not exist"),
        (INVOICE | {"attributeSet": "unknownFutureValue"}, "'attributeSet'"),
    ],
)
def test_billed_datasets_take_an_invoice(call: Call, dataset: str, body: Any, said: str) -> None:
    """Another body is a 400 in Graph's form that names the field."""
    assert_refused(call().post(dataset, body, "beta"), said)


@pytest.mark.parametrize("dataset", ["unbilledUsage", "unbilledReconciliation"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"billingPeriod": "last"}, "'currencyCode' is required"),
        ({"currencyCode": "EUR"}, "'billingPeriod' is required"),
        (PERIOD | {"currencyCode": "eur"}, "'currencyCode' has an invalid value"),
        (PERIOD | {"currencyCode": "EURO"}, "'currencyCode' has an invalid value"),
        (PERIOD | {"currencyCode": 978}, "'currencyCode' has an invalid value"),
        (PERIOD | {"billingPeriod": "unknownFutureValue"}, "'billingPeriod' has an invalid value"),
        (PERIOD | {"attributeSet": "all"}, "'attributeSet' has an invalid value"),
        (PERIOD | INVOICE, "'invoiceId' does not exist"),
    ],
)
def test_unbilled_datasets_take_a_currency_and_a_period(call: Call, dataset: str, body: Any, said: str) -> None:
    """Another body is a 400 in Graph's form that names the field."""
    assert_refused(call().post(dataset, body), said)


def test_aggregated_usage_takes_no_attribute_set(call: Call) -> None:
    """It comes in one attribute set only, and a body that asks for one is refused."""
    assert_refused(call().post("billedAggregatedUsage", INVOICE | {"attributeSet": "full"}, "beta"), "'attributeSet'")


@pytest.mark.parametrize("dataset", BODIES)
def test_what_there_is_not_has_no_data(call: Call, dataset: str) -> None:
    """The export of an unknown invoice, or of a currency that is not the partner's, fails with code 5000."""
    operation = call(invoices=(), currencies=("GBP",)).ended(dataset, BODIES[dataset], "beta")
    assert operation["status"] == "failed"
    assert operation["error"] == {"message": "No data available", "code": "5000"}


def assert_refused(response: Any, said: str) -> None:
    """A 400 in Graph's form that says so."""
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BadRequest"
    assert said in response.json()["error"]["message"]
