"""The report as people use it: opened from disk in Chromium, by mouse, by keyboard, on a phone, in the dark."""

import shutil

import pytest

from reproduce.report.html.write import REPORT
from reproduce.sweep.store import FILE, Store

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens a file; at the end nothing may have been said on the console, and no host been asked for anything."""
    contexts, complaints, requests = [], [], []

    def visit(path, anchor="", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri() + anchor)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def column(page, table, header):
    """The texts of a column of the first table in a place, in the order shown."""
    names = page.locator(f"{table} thead >> nth=0").locator("th").all_inner_texts()
    number = [name.strip() for name in names].index(header) + 1
    rows = page.locator(f"{table} tbody >> nth=0").locator(f"tr:not([hidden]) > :nth-child({number})")
    return [text.strip() for text in rows.all_inner_texts()]


FIRST = "#table1 section.place:first-of-type"


def first_figure(page):
    """The first figure of Table 1, which is drawn once it is near."""
    page.locator(f"{FIRST} h3").scroll_into_view_if_needed()
    figure = page.locator(f"{FIRST} .js-plotly-plot")
    figure.wait_for()
    return figure


def test_a_table_is_sorted_both_ways(report, visit):
    page = visit(report)
    header = page.locator(f"{FIRST} th", has_text="Accuracy")
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    shown = column(page, FIRST, "Accuracy")
    numbers = [float(text.split()[0]) for text in shown if text[0].isdigit()]
    assert len(numbers) > 10
    assert numbers == sorted(numbers)
    assert not shown[-1][0].isdigit()  # what has no number comes last

    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert [float(text.split()[0]) for text in column(page, FIRST, "Accuracy") if text[0].isdigit()] == numbers[::-1]


def test_rows_are_filtered_by_text_data_set_and_fusion(report, visit):
    page = visit(report)
    filters = page.locator('[data-filters="table1"]')
    filters.get_by_label("Data set").select_option("mfeat")
    filters.get_by_label("Fusion").select_option("qfl")
    shown = page.locator("#table1 section.place:not([hidden]) tr[data-cell]:not([hidden])")
    assert shown.count() == 4
    filters.get_by_label("Filter rows").fill("p = 3")
    assert shown.count() == 1
    assert "QFL (P = 3)" in shown.inner_text()
    assert " of " in filters.locator("output").inner_text()


def test_a_figure_shows_the_rows_that_the_filters_leave(report, visit):
    page = visit(report)
    figure = first_figure(page)
    assert "Concat" in figure.text_content()
    page.locator('[data-filters="table1"]').get_by_label("Fusion").select_option("qfl")
    assert "QFL (P = 3)" in figure.text_content()
    assert "Concat" not in figure.text_content()


def test_a_claim_leads_to_the_run_that_decided_it_in_three_clicks(report, visit):
    page = visit(report)
    page.locator("#claims-table").get_by_role("link", name="Q12").click()
    article = page.locator("#claim-Q12")
    article.locator(".grounds a").first.click()
    target = page.locator("td:target")
    assert target.is_visible()
    assert page.url.endswith("#" + target.get_attribute("id"))
    target.locator("xpath=..").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    assert "QFL (P = 3, measurement = pauli plane)" in dialog.get_by_role("heading").first.inner_text()
    assert "make reproduce-table5" in dialog.inner_text()
    assert dialog.locator(".js-plotly-plot").count() > 0  # its tuning


def test_a_row_that_is_filtered_away_is_shown_where_an_address_names_it(report, visit):
    page = visit(report)
    page.locator('[data-filters="table1"]').get_by_label("Filter rows").fill("nothing has this")
    page.evaluate("location.hash = '#table1-2'")
    assert page.locator("td:target").is_visible()
    other = visit(report, "#table6-comparisons-20")
    assert other.locator("td:target").is_visible()


def test_figures_tell_and_zoom(report, visit):
    page = visit(report)
    figure = first_figure(page)
    mark = figure.locator(".point").first
    mark.hover(force=True)
    assert "Accuracy" in figure.locator(".hoverlayer .hovertext").text_content()
    before = figure.evaluate("node => node.layout.xaxis.range")
    box = figure.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] - 20, steps=5)
    page.mouse.up()
    page.wait_for_timeout(500)
    after = figure.evaluate("node => node.layout.xaxis.range")
    assert after[1] - after[0] < before[1] - before[0]


def test_a_cell_shows_its_seeds_tuning_losses_and_runs(folder_with_runs, visit):
    page = visit(folder_with_runs / REPORT)
    page.get_by_role("button", name="QFL (P = 3)").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("heading").all_inner_texts()[1:] == [
        "Scores", "Seeds", "Tuning", "Losses", "Runs",
    ]  # fmt: skip
    assert dialog.locator(".js-plotly-plot").count() == 3
    said = dialog.inner_text()
    for part in ("c0ffee", "A processor, 2 cores", "python 3.11.9", "table1.csv, line 2"):
        assert part in said
    run = next(Store(folder_with_runs / FILE).results())
    assert f"-m reproduce verify {run.spec.id[:12]} --results {folder_with_runs}" in said
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_it_is_used_without_a_mouse(report, visit):
    page = visit(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")  # the first field behind it
    page.keyboard.type("Q12")
    assert column(page, "#claims-table", "Claim") == ["Q12"]
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Q12":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.url.endswith("#claim-Q12")

    button = page.locator("#claim-Q12 tbody button").first
    button.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press("Enter")
    assert button.evaluate("node => node === document.activeElement")


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def test_a_phone_shows_it_without_scrolling_sideways(report, visit):
    page = visit(report, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for table in ("table2", "table3", "table4", "table5", "table6"):
        page.locator(f"#{table} > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(f"{FIRST} tbody button").first.click()
    assert page.get_by_role("dialog").bounding_box()["width"] == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(report, folder_with_runs, visit, scheme, device):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(report, color_scheme=scheme, **device)
    first_figure(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()

    page = visit(folder_with_runs / REPORT, color_scheme=scheme, **device)
    page.get_by_role("button", name="QFL (P = 3)").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_colours_follow_the_scheme(report, visit):
    page = visit(report, color_scheme="light")
    figure = first_figure(page)
    look = "node => [getComputedStyle(document.body).backgroundColor, node.layout.font.color]"
    light = figure.evaluate(look)
    page.emulate_media(color_scheme="dark")
    dark = figure.evaluate(look)
    assert light == ["rgb(255, 255, 255)", "#1b1f24"]
    assert dark == ["rgb(20, 23, 27)", "#e8ebee"]


def test_print_shows_the_static_figures(report, visit):
    page = visit(report)
    image = page.locator("#table1 .pictures img").first
    assert not image.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert image.is_visible()
    assert not page.locator(f"{FIRST} .plot").is_visible()
    assert page.locator("#table6").get_attribute("open") is not None


def test_without_scripts_every_table_and_figure_is_there(report, visit):
    page = visit(report, java_script_enabled=False)
    assert page.locator("#table6-2").is_visible()
    assert page.locator("#table1 .pictures img").first.is_visible()
