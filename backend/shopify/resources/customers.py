"""Customers. Names, email, phone and address are protected customer data: an app that may not see one leaves its
column as it is.

Email and phone are read from their newer places and written by the older names, as the API wants it (facts §10).
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import StoreResource, Verb

RESOURCE = StoreResource(
    name="customers",
    label="Customers",
    table="Customers",
    type="Customer",
    match=("email", "phone"),
    title="displayName",
    scopes=("read_customers",),
    write_scopes=("write_customers",),
    creatable=True,
    deletable=True,
    search="customers",
    topics=("CUSTOMERS_CREATE", "CUSTOMERS_UPDATE", "CUSTOMERS_DELETE", "CUSTOMERS_MERGE"),
    place=6,
    connection="customers",
    make=Verb("customerCreate", "input", "CustomerInput!", "customer"),
    update=Verb("customerUpdate", "input", "CustomerInput!", "customer"),
    remove=Verb("customerDelete", "input", "CustomerDeleteInput!", "deletedCustomerId"),
    owner="CUSTOMER",
    finds="customerByIdentifier",
    natural=(("email", "emailAddress"), ("phone", "phoneNumber")),
    fields=(
        Field("displayName", "text", "Name", "customer", path="displayName"),
        Field("firstName", "text", "First name", "customer", path="firstName", write="firstName"),
        Field("lastName", "text", "Last name", "customer", path="lastName", write="lastName"),
        Field("email", "text", "Email", "customer", path="defaultEmailAddress.emailAddress", write="email"),
        Field("phone", "text", "Phone", "customer", path="defaultPhoneNumber.phoneNumber", write="phone"),
        Field("note", "text", "Note", "metadata", path="note", write="note"),
        Field("tags", "list", "Tags", "metadata", path="tags", write="tags", rule=Rule.MERGE),
        Field("taxExempt", "boolean", "Tax exempt", "metadata", path="taxExempt", write="taxExempt"),
        Field("locale", "text", "Language", "metadata", path="locale", write="locale"),
        Field("state", "choice", "Account", "metadata", path="state",
              choices=("DISABLED", "INVITED", "ENABLED", "DECLINED")),
        Field("defaultAddress.address1", "text", "Address", "address", path="defaultAddress.address1", usual=False),
        Field("defaultAddress.address2", "text", "Address 2", "address", path="defaultAddress.address2", usual=False),
        Field("defaultAddress.zip", "text", "Postcode", "address", path="defaultAddress.zip", usual=False),
        Field("defaultAddress.city", "text", "City", "address", path="defaultAddress.city"),
        Field("defaultAddress.provinceCode", "text", "Province", "address", path="defaultAddress.provinceCode",
              usual=False),
        Field("defaultAddress.countryCode", "text", "Country", "address", path="defaultAddress.countryCodeV2"),
        Field("emailMarketing", "choice", "Email marketing", "customer", path="defaultEmailAddress.marketingState",
              usual=False),
        Field("numberOfOrders", "integer", "Orders", "sales", path="numberOfOrders"),
        Field("amountSpent", "money", "Spent", "sales", path="amountSpent.amount"),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
    ),
)
