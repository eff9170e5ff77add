"""Names of countries and of the provinces that addresses show by name."""
from __future__ import annotations

_PROVINCES = {
    "US": "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|FL Florida|"
          "GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|"
          "MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|"
          "NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|"
          "OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|"
          "TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming|"
          "DC District of Columbia",
    "CA": "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|"
          "NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|"
          "SK Saskatchewan|YT Yukon"}


def province_name(country_code: str, province_code: str | None) -> str | None:
    """The province's name, its code where the name is not known, None without a code."""
    for entry in _PROVINCES.get(country_code, "").split("|"):
        code, _, name = entry.partition(" ")
        if code == province_code:
            return name
    return province_code


def country_name(code: str) -> str:
    """As Shopify's schema describes its CountryCode."""
    from .schema import load_schema
    value = load_schema().type_map["CountryCode"].values.get(code)  # type: ignore[attr-defined]
    return str(value.description).removesuffix(".") if value is not None and value.description else code


def country_code(name: str) -> str | None:
    """The code of a country given by code or name, None when there is no such country."""
    from .schema import load_schema
    wanted = name.strip().lower()
    for code, value in load_schema().type_map["CountryCode"].values.items():  # type: ignore[attr-defined]
        if wanted in (code.lower(), str(value.description or "").removesuffix(".").lower()):
            return str(code)
    return None


def province_code(code_of_country: str, name: str) -> str | None:
    """The code of a province given by code or name, None where it is not known."""
    wanted = name.strip().lower()
    for entry in _PROVINCES.get(code_of_country, "").split("|"):
        code, _, full = entry.partition(" ")
        if code and wanted in (code.lower(), full.lower()):
            return code
    return None
