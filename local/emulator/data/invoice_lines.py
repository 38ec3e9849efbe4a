"""What does one line of an invoice say?

Source: https://learn.microsoft.com/partner-center/developer/billed-invoice-reconciliation
"""

import base64
from random import Random

from local.emulator.clock import midnight
from local.emulator.data.bill import Bill, LineItem
from local.emulator.data.customers import guid
from local.emulator.data.offers import OFFERS, Offer

_TAX = 0.19


def invoice_line(bill: Bill, draw: Random) -> LineItem:
    """A charge for a customer's licences, with most of the documented attributes."""
    customer = draw.choice(bill.customers)
    offer = draw.choice(OFFERS)
    return {**bill.parties(customer), **_order(bill, draw), **_offer(offer), **_charge(bill, offer, draw)}


def _order(bill: Bill, draw: Random) -> LineItem:
    day = midnight(bill.some_day(draw))
    return {
        "OrderId": base64.b32encode(draw.randbytes(8)).decode().rstrip("="),
        "OrderDate": day,
        "SubscriptionId": guid(draw),
        "ChargeStartDate": day,
        "ChargeEndDate": midnight(bill.last_day),
        "ReferenceId": guid(draw),
    }


def _offer(offer: Offer) -> LineItem:
    return {
        "ProductId": offer.product_id,
        "ProductName": offer.product,
        "SkuId": "0001",
        "SkuName": offer.sku,
        "AvailabilityId": offer.product_id[::-1],
        "SubscriptionDescription": offer.sku,
        "PublisherId": "",
        "PublisherName": offer.publisher,
        "TermAndBillingCycle": offer.term,
        "BillingFrequency": "Monthly",
        "UnitType": "Licenses",
        "AlternateId": "",
        "PromotionId": "",
        "MeterDescription": "",
        "ReservationOrderId": "",
        "CreditReasonCode": "",
        "PriceAdjustmentDescription": "",
    }


def _charge(bill: Bill, offer: Offer, draw: Random) -> LineItem:
    quantity = draw.randint(1, 250)
    price = round(offer.price * bill.exchange_rate, 2)
    subtotal = round(quantity * price, 2)
    tax = round(subtotal * _TAX, 2)
    return {
        "ChargeType": draw.choice(("cycleFee", "cycleFee", "new", "renew", "addQuantity")),
        "UnitPrice": price,
        "EffectiveUnitPrice": price,
        "Quantity": quantity,
        "BillableQuantity": quantity,
        "Subtotal": subtotal,
        "TaxTotal": tax,
        "Total": round(subtotal + tax, 2),
        "Currency": bill.currency,
        # Licences are priced in the currency that they are billed in.
        "PricingCurrency": bill.currency,
        "PCToBCExchangeRate": 1,
        "PCToBCExchangeRateDate": midnight(bill.first_day),
    }
