"""Customers. Names, email, phone and address are protected customer data: an app that may not see one leaves its
column as it is.

Email and phone are read from their newer places and written by the older names, as the API wants it (facts §10). They
and the default address belong to the person: they are written only where a mapping says so, and when a customer is new.
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import StoreResource, Together, Verb

_ADDRESS = (
    ("firstName", "Address first name", "firstName"), ("lastName", "Address last name", "lastName"),
    ("company", "Company", "company"), ("address1", "Address", "address1"), ("address2", "Address 2", "address2"),
    ("zip", "Postcode", "zip"), ("city", "City", "city"), ("provinceCode", "Province", "provinceCode"),
    ("countryCode", "Country", "countryCodeV2"), ("phone", "Address phone", "phone"),
)
"""(name in the input, label, where it is read)."""

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
    together=(Together("@defaultAddress", (("id", "defaultAddress.id"), *(
        (name, f"defaultAddress.{path}") for name, _, path in _ADDRESS))),),
    finds="customerByIdentifier",
    natural=(("email", "emailAddress"), ("phone", "phoneNumber")),
    fields=(
        Field("displayName", "text", "Name", "customer", path="displayName"),
        Field("firstName", "text", "First name", "customer", path="firstName", write="firstName"),
        Field("lastName", "text", "Last name", "customer", path="lastName", write="lastName"),
        Field("email", "text", "Email", "customer", path="defaultEmailAddress.emailAddress", write="email",
              on_create="email", opt_in=True),
        Field("phone", "text", "Phone", "customer", path="defaultPhoneNumber.phoneNumber", write="phone",
              on_create="phone", opt_in=True),
        Field("note", "text", "Note", "metadata", path="note", write="note"),
        Field("tags", "list", "Tags", "metadata", path="tags", write="tags", rule=Rule.MERGE),
        Field("taxExempt", "boolean", "Tax exempt", "metadata", path="taxExempt", write="taxExempt"),
        Field("locale", "text", "Language", "metadata", path="locale", write="locale"),
        Field("state", "choice", "Account", "metadata", path="state",
              choices=("DISABLED", "INVITED", "ENABLED", "DECLINED")),
        *(Field(f"defaultAddress.{name}", "text", label, "address", path=f"defaultAddress.{path}",
                write=f"@defaultAddress.{name}", opt_in=True, usual=name in ("city", "countryCode"))
          for name, label, path in _ADDRESS),
        Field("emailMarketing", "choice", "Email marketing", "customer", path="defaultEmailAddress.marketingState",
              usual=False),
        Field("numberOfOrders", "integer", "Orders", "sales", path="numberOfOrders"),
        Field("amountSpent", "money", "Spent", "sales", path="amountSpent.amount"),
        Field("lastOrder", "text", "Last order", "sales", path="lastOrder.name", usual=False),
        Field("verifiedEmail", "boolean", "Email verified", "customer", path="verifiedEmail", usual=False),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
    ),
)
