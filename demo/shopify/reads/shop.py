"""The shop itself, the app's installation and its scopes, the versions of the API."""
from __future__ import annotations

from typing import Any

from .. import versions
from ..context import Context
from ..ids import gid
from ..model import Shop
from ..registry import resolves

_PLAN_NAMES = {"standard": "Grow", "advanced": "Advanced", "plus": "Shopify Plus"}


@resolves("QueryRoot", "shop")
def shop(source: Any, arguments: dict[str, Any], context: Context) -> Shop:
    return context.store.shop


@resolves("Shop", "id")
def shop_id(shop: Shop, arguments: dict[str, Any], context: Context) -> str:
    return shop.gid


@resolves("Shop", "myshopifyDomain")
def domain(shop: Shop, arguments: dict[str, Any], context: Context) -> str:
    return shop.domain


@resolves("Shop", "url", "storefrontUrl")
def url(shop: Shop, arguments: dict[str, Any], context: Context) -> str:
    return f"https://{shop.domain}"


@resolves("Shop", "primaryDomain")
def primary_domain(shop: Shop, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "Domain", "id": gid("Domain", shop.id), "host": shop.domain, "sslEnabled": True,
            "url": f"https://{shop.domain}"}


@resolves("Shop", "contactEmail")
def contact_email(shop: Shop, arguments: dict[str, Any], context: Context) -> str:
    return shop.email


@resolves("Shop", "plan")
def plan(shop: Shop, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    name = _PLAN_NAMES.get(shop.plan, "Development")
    return {"displayName": name, "publicDisplayName": name, "partnerDevelopment": name == "Development",
            "shopifyPlus": shop.plan == "plus"}


@resolves("Shop", "weightUnit")
def weight_unit(shop: Shop, arguments: dict[str, Any], context: Context) -> str:
    return "KILOGRAMS"


@resolves("Shop", "unitSystem")
def unit_system(shop: Shop, arguments: dict[str, Any], context: Context) -> str:
    return "METRIC_SYSTEM"


@resolves("Shop", "taxesIncluded", "taxShipping", "setupRequired", "checkoutApiSupported")
def no(shop: Shop, arguments: dict[str, Any], context: Context) -> bool:
    return False


@resolves("Shop", "timezoneAbbreviation", "timezoneOffset", "timezoneOffsetMinutes")
def timezone(shop: Shop, arguments: dict[str, Any], context: Context) -> Any:
    from zoneinfo import ZoneInfo
    assert context.info is not None
    here = context.store.now().astimezone(ZoneInfo(shop.iana_timezone))
    offset = here.utcoffset()
    assert offset is not None
    return {"timezoneAbbreviation": here.strftime("%Z"), "timezoneOffset": here.strftime("%z"),
            "timezoneOffsetMinutes": int(offset.total_seconds() // 60)}[context.info.field_name]


@resolves("Shop", "currencyFormats")
def currency_formats(shop: Shop, arguments: dict[str, Any], context: Context) -> dict[str, str]:
    return {"moneyFormat": "${{amount}}", "moneyInEmailsFormat": "${{amount}}",
            "moneyWithCurrencyFormat": f"${{{{amount}}}} {shop.currency_code}",
            "moneyWithCurrencyInEmailsFormat": f"${{{{amount}}}} {shop.currency_code}"}


@resolves("Shop", "enabledPresentmentCurrencies")
def presentment_currencies(shop: Shop, arguments: dict[str, Any], context: Context) -> list[str]:
    return [shop.currency_code]


@resolves("Shop", "shopAddress", "billingAddress")
def shop_address(shop: Shop, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "ShopAddress", "id": gid("ShopAddress", shop.id), "address1": "Torggata 14",
            "address2": None, "city": "Oslo", "company": shop.name, "country": "Norway", "countryCodeV2": shop.country,
            "countryCode": shop.country, "province": None, "provinceCode": None, "zip": "0181", "phone": None,
            "latitude": None, "longitude": None, "coordinatesValidated": False, "formattedArea": "Oslo, Norway",
            "formatted": [shop.name, "Torggata 14", "0181 Oslo", "Norway"]}


@resolves("QueryRoot", "publicApiVersions")
def public_api_versions(source: Any, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return versions.listed(context.store.now())
