"""What a person can do about each refusal of Shopify's that is known. Texts as recorded (facts §5, §6)."""

from __future__ import annotations

import re

CURES: tuple[tuple[str, str], ...] = (
    (r"already in use|already been taken", "Type another one: each can be used only once in the store."),
    (r"can't be blank", "Fill in the cell."),
    (r"too long \(maximum is (\d+)", "Shorten it to {0} characters."),
    (r"email is invalid", "Type a complete email address, like name@example.com."),
    (r"phone is invalid", "Type the number with its country, like +47 22 00 00 00."),
    (r"enter a zip code|zip .*is (invalid|not valid)", "Type the postcode as that country writes it."),
    (r"name, phone number,? or email|must have a name", "Fill in at least one of name, email and phone."),
    (r"tags cannot be more than (\d+)", "Remove some tags: Shopify takes at most {0}."),
    (r"associated orders|has orders", "Shopify keeps customers who have ordered: take the row out of the mapping "
     "(only_where) instead."),
    (r"has a maximum (?:length|value) of ([\d.]+)", "The store's own rule for this metafield allows at most {0}."),
    (r"has a minimum (?:length|value) of ([\d.]+)", "The store's own rule for this metafield asks for at least {0}."),
    (r"value must be|value does not match|value is not one of", "Type what the metafield's definition in Shopify "
     "allows (Settings, Custom data)."),
    (r"has been paid|has already been completed", "A completed draft order cannot be changed: change its order."),
    (r"tags is invalid", "Shorten each tag to 255 characters, and keep to 250 tags."),
    (r"greater than or equal to 0|must be >= 0|can't be negative", "Type 0 or more."),
    (r"can't be higher than|must be less than", "Type a smaller number."),
    (r"can't be lower than", "Type a larger number."),
    (r"six and thirteen digits", "Type the 6 to 13 digits of the HS code."),
    (r"Country code of origin is invalid", "Type the two letters of the country, like DE."),
    (r"already exists", "Choose other option values: this variant is there already."),
    (r"need to add option values for (.+)", "Fill in the value for {0}."),
    (r"Option does not exist", "Fill in only the options that the product has, or add the option in Shopify first."),
    (r"location could not be found", "See in Shopify whether the location still exists, then sync again."),
    (r"inventory item could not be found", "See in Shopify whether the variant still exists, then sync again."),
    (r"Another operation already in progress", "Wait: Shopify is busy with this product. The next sync tries again."),
    (r"input array size", "Remove some: Shopify takes at most 250."),
)
OTHERWISE = "Change the cell to something Shopify accepts, or map it one way from Shopify."


def cure_for(message: str) -> str:
    for pattern, cure in CURES:
        found = re.search(pattern, message, re.IGNORECASE)
        if found:
            return cure.format(*found.groups())
    return OTHERWISE
