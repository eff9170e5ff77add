"""Steps of recordings on people and orders that do not come out alike, each with the reason.

The list keeps what is right from getting worse; a step that comes out alike one day is to be taken off it.
"""
from __future__ import annotations

SALES: dict[str, tuple[tuple[str, str], ...]] = {
    "needs a state that the recording shows in parts, or at another moment, or twice": (
        ("2025-01/customers/customer-update-parity", "/downstreamRead"),
        ("2025-01/orders/draft-order-complete-parity", "/downstreamRead"),
        ("2025-01/orders/draft-order-delete-parity", "/downstreamRead"),
        ("2025-01/orders/draft-orders-search-sort-staged", "/reads/updatedAtAsc"),
        ("2025-01/orders/fulfillment-tracking-info-update-parity", "/downstreamRead"),
        ("2026-04/customers/customer-email-marketing-consent-update-parity", "/validation/matrix/5"),
        ("2026-04/customers/customer-set-parity", "/validation/deletedIdentifier"),
        ("2026-04/orders/fulfillment-create-preconditions", "/cases/cancelled/setup/hydrate"),
        ("2026-04/orders/fulfillment-create-preconditions", "/upstreamCalls/6"),
        ("2026-04/orders/fulfillment-state-preconditions", "/cleanup/delivered"),
        ("2026-04/orders/order-catalog-count-read", "/upstreamCalls/1"),
        ("2026-04/orders/order-merchant-detail-read", ""),
        ("2026-04/orders/order-merchant-detail-read", "/upstreamCalls/0"),
        ("2026-04/orders/orderCancel-restock-refundMethod-parity", "/downstreamRead"),
        ("2026-04/orders/orderUpdate-multi-page-hydration", "/upstreamCalls/1"),
        ("2026-04/shipping-fulfillments/fulfillment-detail-events-lifecycle", "/setup/fulfillmentCreate"),
        ("2026-04/shipping-fulfillments/fulfillment-detail-events-lifecycle", ""),
        ("2026-04/shipping-fulfillments/fulfillment-detail-events-lifecycle", "/upstreamCalls/0"),
        ("2026-04/shipping-fulfillments/fulfillment-order-lifecycle", "/upstreamCalls/2"),
        ("2026-04/shipping-fulfillments/fulfillment-top-level-reads", "/detailRead"),
        ("2026-04/shipping-fulfillments/fulfillment-top-level-reads", "/upstreamCalls/0"),
    ),
    "answers as another shop or another app would: its scopes, its version of the schema, its rules": (
        ("2025-01/orders/fulfillment-multi-tracking-info", "/setup/hydrateBeforeFulfillmentCreate"),
        ("2026-04/orders/orderCreateManualPayment-access-denied-parity", "/upstreamCalls/0"),
        ("2026-04/shipping-fulfillments/fulfillment-top-level-reads", "/assignedFulfillmentOrdersAccess"),
        ("2026-07/customers/customer-input-inline-consent-parity", "/schemaEvidence"),
    ),
    "was sent with arguments that the recording names and does not give, or in a text of other lines": (
        ("2026-04/customers/customer-order-summary-read-effects", "/setup"),
        ("2026-04/customers/customer-order-summary-read-effects", "/beforeSet"),
        ("2026-04/customers/customer-order-summary-read-effects", "/afterSet"),
        ("2026-04/customers/customer-order-summary-read-effects", "/afterRemove"),
        ("2026-04/orders/orderUpdate-localization-and-staff", "/staffMemberIdSchemaProbe"),
        ("2026-04/shipping-fulfillments/fulfillment-order-lifecycle", "/validation/holdUnknownId"),
        ("2026-04/shipping-fulfillments/fulfillment-order-lifecycle", "/validation/releaseHoldUnknownId"),
        ("2026-04/shipping-fulfillments/fulfillment-order-lifecycle", "/validation/moveUnknownId"),
        ("2026-04/shipping-fulfillments/fulfillment-order-lifecycle", "/validation/openUnknownId"),
    ),
    "is answered otherwise by this store: still to be taught": (
        ("2026-04/orders/orderUpdate-localization-and-staff", "/localizationExtensionMutation"),
        ("2026-04/orders/orderUpdate-localization-and-staff", "/downstreamRead"),
    ),
}
