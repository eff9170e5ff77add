"""Every screen and state of the widget by name, for the tests that hold of all of them: no finding of axe-core, no
English in German, colours of the theme only, one filled button; and for the pictures.

    scene       prepare(shop)  what the backend knows before the widget is opened
                show(screen)   presses until it is there; words are never named, so that it works in every language
                query          what stands in the widget's address instead
                wait           a selector of what must be seen then

`open_scene(screen, name, language, theme)` does it all and comes back when the scene stands still.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fake
import fake_mapping
from german import sentences
from playwright.sync_api import expect
from screen import QUERY, Screen

STORE = "fieldhouse.myshopify.com"
Show = Callable[[Screen], None]
Prepare = Callable[[fake.Shop], None]


@dataclass(frozen=True)
class Scene:
    wait: str
    tab: str | None = None
    prepare: Prepare = lambda shop: None
    show: Show = lambda screen: None
    access: str = "full"


def words(key: str, language: str = "en") -> str:
    """A sentence of the widget, as its language files have it."""
    return sentences(language)[key]


def open_tab(screen: Screen, tab: str) -> None:
    """Presses the tab, which may stand behind "More" on a narrow screen."""
    screen.widget.get_by_role("tab").first.wait_for()
    screen.settle()  # which tabs there are, and which of them fit, is known when all has been answered
    shown = screen.widget.locator(f"#tab-{tab}")
    if not shown.count():
        screen.widget.locator("#more-tabs").click()
        screen.widget.get_by_role("menuitem", name=words(f"tab.{tab}", screen.language)).click()
    else:
        shown.click()
    expect(shown).to_have_attribute("aria-selected", "true")


def press(*selectors: str) -> Show:
    """Presses one after the other."""
    def show(screen: Screen) -> None:
        for selector in selectors:
            screen.widget.locator(selector).first.click()
    return show


def tick(*numbers: int) -> Show:
    def show(screen: Screen) -> None:
        for number in numbers:
            screen.widget.locator(".deletions input[type=checkbox]").nth(number).check(force=True)
    return show


def then(*shows: Show) -> Show:
    def show(screen: Screen) -> None:
        for one in shows:
            one(screen)
    return show


def having(**facts: Any) -> Prepare:
    def prepare(shop: fake.Shop) -> None:
        for name, value in facts.items():
            setattr(shop, name, value)
    return prepare


def running(shop: fake.Shop) -> None:
    shop.run = fake.writing(shop)


def waiting_run(shop: fake.Shop) -> None:
    shop.run = {**fake.writing(shop), "state": "waiting"}


def braked(shop: fake.Shop) -> None:
    facts = "48 of 212 products are gone from Shopify. That is more than the 20 you allow."
    shop.status = "stopped"
    shop.message = {"message": f"{facts} Nothing was written.", "cure": "If it was meant, look at the preview.",
                    "brake": {"facts": facts, "count": 48}}
    shop.brake, shop.plan, shop.waits = {"facts": facts, "count": 48}, [], {"proposed_deletions": 48}


def key_refused(shop: fake.Shop) -> None:
    shop.status = "failed"
    shop.runs[0]["state"] = "failed"
    shop.message = {"message": "Shopify does not accept the token.", "cure": "", "code": "shopify_key"}


def undoable(shop: fake.Shop) -> None:
    back = {"resource": "variants", "label": "Variants", "side": "shopify", "row": 1, "title": "Linen shirt / M",
            "kind": "update", "field": "price", "field_label": "Price", "type": "money", "before": "39.00",
            "after": "37.00", "why": "undo"}
    shop.undo_report = {"undone": 5, "stays": [{"change": 97, "reason": "It was edited since."}], "plan": [back] * 5,
                        "plan_total": 5}


def paired(shop: fake.Shop) -> None:
    def waits(number: int, asked: dict[str, Any]) -> dict[str, Any]:
        return {"id": number, "resource": "products", "label": "Products", "table": "Products",
                "id_column": "Shopify_ID", "seen_at": None, **asked}

    copied = fake_mapping.double("copy", rows=[fake_mapping.row(12, "Cap")], things=[], alike=[[]], holder=4,
                                 of=fake_mapping.thing(5, "Cap"))
    emptied = fake_mapping.double("emptied", rows=[fake_mapping.row(14, "Rain hat, green")], things=[], alike=[[]],
                                  of=fake_mapping.thing(7, "Wool scarf, kids"))
    shop.questions = [waits(1, fake_mapping.double()), waits(2, fake_mapping.hats()), waits(3, copied),
                      waits(4, emptied)]


def moved(shop: fake.Shop) -> None:
    shop.conflicts[0]["moved"] = {"grist": "40.00", "shopify": "44.00"}


def kept_apart(shop: fake.Shop) -> None:
    shop.cells_apart = [fake.apart_row(one) for one in shop.conflicts if one["id"] in (32, 35, 36, 37)]
    shop.conflicts = [one for one in shop.conflicts if one["id"] not in (32, 35, 36, 37)]


def acted(shop: fake.Shop) -> None:
    shop.deeds = [fake.deed_row(3, "maybe", message="Shopify did not answer.", cure="Look at the order in Shopify."),
                  fake.deed_row(2, "refused", "cancel", message="The order is archived.", cure="Reopen it first."),
                  fake.deed_row(1, "done")]


def step(name: str) -> Prepare:
    def prepare(shop: fake.Shop) -> None:
        fake_mapping.unmapped(shop)
        shop.no_scopes = ("read_customers",)
        shop.first_run = {"step": name}
    return prepare


def unconnected(shop: fake.Shop) -> None:
    shop.linked = False
    shop.tested = fake.answer_of_test("write_inventory", "read_customers")


def copied_document(shop: fake.Shop) -> None:
    shop.linked, shop.copy = False, {"store": STORE, "configured": False}


def never_synced(shop: fake.Shop) -> None:
    shop.status = "never"
    shop.runs, shop.conflicts, shop.deletions, shop.refused, shop.changes = [], [], [], [], []


def fill_store(screen: Screen) -> None:
    for field, text in (("store", "fieldhouse"), ("client_id", "9b1d4e07c2a85f36"), ("client_secret", "shpss_abc")):
        screen.widget.locator(f"#{field}").fill(text)
    screen.widget.locator("#test").click()


def type_wrong(screen: Screen) -> None:
    screen.value(31, "keep").focus()
    screen.page.keyboard.press("t")
    screen.page.keyboard.type("fourty")


def open_keys(screen: Screen) -> None:
    screen.value(31, "grist").focus()
    screen.page.keyboard.press("?")


def open_field_menu(screen: Screen) -> None:
    screen.value(31, "keep").focus()
    screen.page.keyboard.press(".")


def to_actions(screen: Screen) -> None:
    expect(screen.widget.locator("#tab-overview")).to_be_visible()
    screen.fake_grist("select('Orders', 812)")
    # The tab is measured once it is there, wherever it will stand.
    screen.widget.locator('.measure [data-name="actions"]').wait_for(state="attached")
    open_tab(screen, "actions")


def choose_row(screen: Screen) -> None:
    screen.widget.locator(".tables tbody tr, [data-conflict]").first.wait_for()
    screen.fake_grist("select('Variants', 2)")


def go_down(screen: Screen) -> None:
    screen.widget.locator(".tables tbody tr").first.wait_for()
    screen.shop.down = True
    screen.look_again()


def change_rule(screen: Screen) -> None:
    rule = screen.widget.locator(".fields select:has(option:nth-child(2))").last
    rule.select_option(rule.evaluate("(select) => [...select.options].find((one) => !one.selected).value"))


def open_settings(screen: Screen) -> None:
    screen.widget.locator("#more").click()
    screen.widget.locator(".menu [role=menuitem]").nth(2).click()
    screen.widget.locator("#mails").wait_for()


SCENES: dict[str, Scene] = {
    "overview": Scene(".recent tbody tr"),
    "overview-menu": Scene(".menu", show=press("#more")),
    "overview-row": Scene(".row-line .link", show=choose_row),
    "never-synced": Scene(".empty", prepare=never_synced),
    "running": Scene(".progress tbody tr", prepare=running),
    "conflicts": Scene("[data-conflict]", tab="conflicts"),
    "conflicts-row": Scene(".row-line .link", tab="conflicts", show=choose_row),
    "conflicts-chosen": Scene("#apply:not([aria-disabled])", tab="conflicts", prepare=moved,
                              show=then(lambda screen: screen.value(31, "grist").click(),
                                        lambda screen: screen.value(34, "shopify").click())),
    "conflicts-selected": Scene(".selection", tab="conflicts", show=lambda screen: screen.widget.locator(
        "[data-conflict] input[type=checkbox]").first.check(force=True)),
    "conflicts-typed": Scene(".note.yellow, .note .icon", tab="conflicts", show=type_wrong),
    "conflicts-menu": Scene(".menu", tab="conflicts", show=open_field_menu),
    "conflicts-keys": Scene(".keys", tab="conflicts", show=open_keys),
    "conflicts-list-menu": Scene(".menu", tab="conflicts", prepare=kept_apart, show=press("#list-more")),
    "apart": Scene(".apart tbody tr", tab="conflicts", prepare=kept_apart, show=press(".apart-line .link")),
    "conflicts-none": Scene(".empty", tab="conflicts", prepare=having(conflicts=[])),
    "deletions": Scene(".deletions tbody tr", tab="deletions"),
    "deletions-chosen": Scene(".footer .button:nth-child(3)", tab="deletions", show=tick(0, 1)),
    "deletions-asked": Scene(".question", tab="deletions", show=then(tick(0, 1), press(".footer .button"))),
    "deletions-back": Scene("#yes-put-back", tab="deletions", show=then(tick(0, 1), press(
        ".footer .button:nth-child(2)"))),
    "deletions-none": Scene(".empty", tab="deletions", prepare=having(deletions=[])),
    "refused": Scene(".refused tbody tr", tab="refused"),
    "refused-none": Scene(".empty", tab="refused", prepare=having(refused=[])),
    "changes": Scene(".changes tbody tr", tab="changes"),
    "changes-undo": Scene("#undo-yes", tab="changes", prepare=undoable, show=press(".link.all")),
    "changes-none": Scene(".empty", tab="changes", prepare=having(changes=[])),
    "preview": Scene("#sync-exactly", show=press("#preview")),
    "preview-none": Scene("#close-preview", prepare=having(plan=[]), show=press("#preview")),
    "stopped": Scene("#review", prepare=braked),
    "stopped-preview": Scene("#go-on", prepare=braked, show=press("#review")),
    "stopped-asked": Scene("#cancel-go-on", prepare=braked, show=press("#review", "#go-on")),
    "pairs": Scene(".pairs tbody tr", tab="pairs", prepare=paired),
    "actions": Scene(".deeds tbody tr", show=to_actions, prepare=acted),
    "actions-form": Scene(".deed-form", show=then(to_actions, press(".deeds input:not([disabled])"))),
    "mapping": Scene(".fields tbody tr", tab="mapping", prepare=fake_mapping.mapped),
    "mapping-changed": Scene(".footer .filled", tab="mapping", prepare=fake_mapping.mapped, show=change_rule),
    "settings": Scene("#mails", show=open_settings),
    "settings-changed": Scene("#save:not([aria-disabled])", show=then(
        open_settings, lambda screen: screen.widget.locator("#interval").select_option("3600"))),
    "health": Scene(".health tbody tr", tab="health"),
    "health-asked": Scene("#disconnect-question", tab="health", show=press(".footer .link:last-child")),
    "help": Scene(".help tbody tr", show=press("#more", ".menu [role=menuitem]:last-child")),
    "store-again": Scene("#test", prepare=key_refused, show=press(".banner .button")),
    "first-run-access": Scene(".intro", prepare=unconnected, access="none"),
    "first-run-store": Scene("#store", prepare=unconnected),
    "first-run-tested": Scene(".permissions tbody tr", prepare=unconnected, show=fill_store),
    "first-run-resources": Scene(".resources tbody tr", prepare=step("resources")),
    "first-run-tables": Scene("table", prepare=step("tables")),
    "first-run-preview": Scene("table", prepare=step("preview")),
    "viewer": Scene("[data-conflict]", tab="conflicts", prepare=having(role="viewer")),
    "editor-without-store": Scene(".banner", prepare=having(role="editor", linked=False)),
    "unreachable": Scene(".banner", show=go_down),
    "key-refused": Scene(".banner", prepare=key_refused),
    "copy": Scene(".banner", prepare=copied_document),
    "waits": Scene(".banner", prepare=waiting_run),
    "asleep": Scene(".banner", prepare=having(asleep=True)),
    "paused": Scene(".dot.ring, .icon", prepare=having(paused=True)),
}


def open_scene(screen: Screen, name: str, *, language: str = "en-US", theme: str = "light") -> None:
    """Opens the widget and leads it to the scene `name`."""
    scene = SCENES[name]
    screen.language = language.split("-")[0]
    screen.page.emulate_media(reduced_motion="reduce")  # nothing fades in while it is looked at
    scene.prepare(screen.shop)
    query = QUERY.replace("access=full", f"access={scene.access}").replace("language=en-US", f"language={language}")
    screen.open(query=f"{query}&theme={theme}")
    if scene.tab:
        open_tab(screen, scene.tab)
        screen.widget.locator(scene.wait if scene.show is Scene.show else ".screen").first.wait_for()
    scene.show(screen)
    screen.widget.locator(scene.wait).first.wait_for()
    screen.page.mouse.move(0, 0)
    screen.settle()


def wear(screen: Screen, theme: str) -> None:
    """Another theme of Grist's on the page as it stands."""
    rules = "".join(f"{name}: {value};" for name, value in fake.theme(theme).items())
    screen.frame.evaluate(
        "(css) => document.head.append(Object.assign(document.createElement('style'), { textContent: css }))",
        f":root:root {{ {rules} }} * {{ transition: none !important; }}")
