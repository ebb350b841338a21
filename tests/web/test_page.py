"""The page at `/` in a real browser, on a real node."""

from __future__ import annotations

from functools import partial
from statistics import median
from urllib.parse import urlsplit

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tangle.protocol.outputs import BasicOutput
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.tagged_data import TaggedData
from tests.networks import Key, note, spend
from tests.nodes import RunningNode
from tests.web.browser import Page, hex_of, needs_chromium

pytestmark = needs_chromium


def test_the_page_loads_in_silence_and_from_its_node_alone(page: Page, node: RunningNode) -> None:
    page.await_block(node.attach(note("seen")))
    page.eventually(lambda: page.text("plot-tips").isdigit(), "nothing is measured")
    asked = page.requests()
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(node.url).netloc}
    paths = {urlsplit(url).path for url in asked}
    assert {"/", "/web/style.css", "/web/main.js", "/web/icon.svg", "/api/tangle/v1/events"} <= paths
    assert page.complaints() == []
    assert page.text("network") == node.settings.network_name
    assert page.driver.find_element(By.LINK_TEXT, "API").get_attribute("href") == f"{node.url}/docs"


def test_what_was_there_before_and_what_comes_are_drawn_as_the_node_tells(page: Page, node: RunningNode) -> None:
    block_id = node.attach(note("drawn"))
    node.wait_referenced(block_id)
    number = node.get("/api/tangle/v1/metrics")["eventNumber"]
    page.await_event(number)
    told = {one["blockId"]: one for one in node.get("/api/tangle/v1/graph")["nodes"] if one["number"] <= number}
    expression = """Object.fromEntries(page.tangle.blocks.map((b) => [b.id, {
        number: b.number, parents: b.parentIds, payload: b.payload, receivedMs: b.receivedMs,
        known: b.parents.map((p) => p.id), milestone: b.milestoneIndex, referenced: b.referencedBy}]))"""
    drawn = page.ask(expression)
    assert hex_of(block_id) in drawn
    assert told.keys() <= drawn.keys()
    for one_id, one in told.items():
        seen = drawn[one_id]
        assert [seen[name] for name in ("number", "parents", "payload", "receivedMs")] == [
            one[name] for name in ("number", "parents", "payload", "receivedMs")
        ]
        assert seen["known"] == [parent for parent in one["parents"] if parent in drawn]
        assert seen["milestone"] == one.get("milestoneIndex")
        if "referencedByMilestoneIndex" in one:
            assert seen["referenced"] == one["referencedByMilestoneIndex"]


def test_a_click_opens_the_block_and_escape_closes_it(page: Page, node: RunningNode) -> None:
    block_id = node.attach(TaggedData(b"water", b'{"litres": 12.5, "<b>": "not markup"}'))
    node.wait_referenced(block_id)
    page.await_block(block_id)
    page.pause(block_id)
    page.click_at(*page.place(block_id))
    page.eventually(lambda: "confidence" in page.panel().lower() and "walks" in page.panel(), "no metadata")
    page.eventually(lambda: "litres" in page.panel(), "no payload")
    panel = page.panel()
    for expected in (hex_of(block_id), "Tagged data", "water", '"<b>": "not markup"', "referenced by a milestone"):
        assert expected in panel
    metadata = node.get(f"/api/core/v2/blocks/{hex_of(block_id)}/metadata")
    assert f"milestone #{metadata['referencedByMilestoneIndex']}" in panel
    links = _links(page)
    assert f"{node.url}/api/core/v2/blocks/{hex_of(block_id)}" in links
    assert all(node.http.get(link).status_code == 200 for link in links)
    page.find("picture").send_keys(Keys.ESCAPE)
    assert not page.find("details").is_displayed()
    assert page.ask("page.picture.selected") is None
    assert page.complaints() == []


def test_the_cones_of_the_selected_block_are_highlighted(page: Page, node: RunningNode) -> None:
    first = node.attach(note("oldest"))
    left = node.finished(note("left"), (first,))
    asides = [node.finished(note(f"aside {number}"), (first,)) for number in range(7)]
    above = node.finished(note("above"), (left.id,))
    for block in (left, *asides, above):
        assert node.post_bytes(block.encoded).status_code == 201
    shown = [first, left.id, *(block.id for block in asides)]
    # Once all are referenced, nothing but the selection changes how they look.
    for one in shown:
        node.wait_referenced(one)
        referenced = partial(page.ask, "page.tangle.byId.get(arguments[0])?.referencedBy", hex_of(one))
        page.eventually(referenced, "the page does not know that it is referenced")
    page.pause(*shown)
    before = [page.contrast(*page.place(one)) for one in shown]
    page.click_at(*page.place(left.id))
    page.eventually(lambda: page.ask("page.picture.selected?.id") == hex_of(left.id), "it is not selected")
    past, future = (set(page.ask(f"[...page.picture.{cone}].map((b) => b.id)")) for cone in ("past", "future"))
    assert hex_of(first) in past
    assert hex_of(above.id) in future
    assert not {hex_of(block.id) for block in asides} & (past | future)
    parents = {one["blockId"]: one["parents"] for one in node.get("/api/tangle/v1/graph")["nodes"]}
    expected: set[str] = set()
    waiting = [hex_of(left.id)]
    while waiting:
        new = {parent for parent in parents[waiting.pop()] if parent in parents} - expected
        expected |= new
        waiting += new
    assert past == expected
    page.eventually(lambda: page.text("past-count") == f"past {len(past)}", "the panel does not count the cone")
    page.settle()
    ratios = [page.contrast(*page.place(one)) / was for one, was in zip(shown, before, strict=True)]
    assert ratios[0] > 0.8
    # The median: a line of a cone may cross the place of one or the other.
    assert median(ratios[2:]) < 0.6


def test_a_milestone_is_marked(page: Page, node: RunningNode) -> None:
    node.wait_referenced(node.attach(note("to be referenced")))
    index = node.get("/api/core/v2/info")["status"]["latestMilestone"]["index"]
    page.eventually(lambda: page.ask(f"Boolean(page.tangle.milestone({index}))"), "no milestone appears")
    page.find("wanted").send_keys(f"#{index}", Keys.ENTER)
    page.eventually(lambda: f"#{index}" in page.panel() and "Signatures" in page.panel(), "it does not open")
    milestone = bytes.fromhex(page.ask(f"page.tangle.milestone({index}).id")[2:])
    page.settle()
    assert page.colour("milestone") in page.colours_around(*page.place(milestone), 4)


def test_a_conflicting_transaction_is_told_as_such(page: Page, node: RunningNode) -> None:
    (coin,) = node.coins(node.holder)[:1]
    kept = spend([coin], [BasicOutput.to(node.holder.address, coin.output.amount)], parameters=_parameters(node))
    lost = spend(
        [coin], [BasicOutput.to(Key.named("rival").address, coin.output.amount)], parameters=_parameters(node)
    )
    first = node.attach(kept)
    second = node.attach(lost)
    states = {node.wait_referenced(one)["ledgerInclusionState"] for one in (first, second)}
    assert states == {"included", "conflicting"}
    rejected = second if "conflictReason" in node.wait_referenced(second) else first
    page.eventually(
        lambda: page.ask("page.tangle.byId.get(arguments[0])?.inclusion", hex_of(rejected)) == "conflicting",
        "the page does not know of the conflict",
    )
    page.find("wanted").send_keys(hex_of(rejected)[:14], Keys.ENTER)
    page.eventually(lambda: "already spent" in page.panel() and "Outputs" in page.panel(), "no reason is given")
    address = Key.named("rival").address if rejected == second else node.holder.address
    text = node.bech32(address)
    assert f"{node.url}/api/tangle/v1/addresses/{text}/history" in _links(page)


def test_the_keyboard_walks_the_tangle(page: Page, node: RunningNode) -> None:
    parent = node.attach(note("parent"))
    child = node.finished(note("child"), (parent,))
    assert node.post_bytes(child.encoded).status_code == 201
    page.await_block(child.id)
    page.find("wanted").send_keys(hex_of(child.id), Keys.ENTER)
    page.eventually(lambda: page.ask("page.picture.selected?.id") == hex_of(child.id), "it is not found")
    picture = page.find("picture")
    picture.send_keys(Keys.ARROW_LEFT)
    assert page.ask("page.picture.selected.id") == hex_of(parent)
    assert page.driver.execute_script("return document.getElementById('spoken').textContent").startswith("Tagged")
    picture.send_keys(Keys.ESCAPE, Keys.END)
    assert page.ask("[page.picture.selected, page.view.following]") == [None, True]
    before = page.ask("page.view.factor")
    picture.send_keys("+")
    assert page.ask("page.view.factor") > before
    picture.send_keys(" ")
    assert page.ask("page.view.following") is False
    assert page.text("follow") == "Go live"


def test_a_search_says_why_it_finds_nothing(page: Page) -> None:
    for wanted, why in (
        ("nonsense", "64 hexadecimal digits"),
        ("#999999", "not among the drawn"),
        ("0x" + "ab" * 32, "no block with this id"),
    ):
        field = page.find("wanted")
        field.clear()
        field.send_keys(wanted, Keys.ENTER)
        page.eventually(partial(_answers, page, why), f"{wanted} is not answered")
    # The browser itself notes the 404 of the last question.
    assert all("404" in line for line in page.complaints())


def test_a_link_to_a_block_opens_it(page: Page, node: RunningNode) -> None:
    block_id = node.attach(note("linked"))
    page.driver.get("about:blank")
    page.open(f"{node.url}/#{hex_of(block_id)}")
    page.eventually(lambda: "linked" in page.panel(), "the linked block does not open")
    assert page.ask("page.picture.selected?.id") == hex_of(block_id)


def test_what_is_kept_is_bounded_and_what_was_dropped_is_let_go(page: Page, node: RunningNode) -> None:
    """On the page's own modules, fed with more blocks than it keeps."""
    script = """
        const done = arguments[0];
        import('/web/tangle.js').then(({ Tangle, KEPT_MAX }) => {
          const tangle = new Tangle(() => 0);
          const id = (n) => '0x' + n.toString(16).padStart(64, '0');
          const total = 3 * KEPT_MAX;
          for (let n = 1; n <= total; n += 1) {
            tangle.apply({ type: 'solid', number: n, blockId: id(n), parents: [id(n - 1), id(Math.max(n - 7, 0))],
              payload: 'none', receivedMs: 5 * n }, false);
          }
          tangle.apply({ type: 'solid', number: total, blockId: id(total), parents: [], payload: 'none',
            receivedMs: 0 }, false);
          const { blocks } = tangle;
          done({ kept: blocks.length, most: KEPT_MAX, known: tangle.byId.size,
            dangling: blocks.flatMap((b) => b.parents).filter((p) => !tangle.byId.has(p.id)).length,
            backwards: blocks.flatMap((b) => b.parents.filter((p) => !(p.x < b.x))).length,
            outside: blocks.filter((b) => !(b.y >= 0 && b.y <= 1)).length,
            past: tangle.pastCone(blocks.at(-1)).size, future: tangle.futureCone(blocks[0]).size });
        });
    """
    found = page.driver.execute_async_script(script)
    assert found["kept"] <= 1.1 * found["most"]
    assert found["known"] == found["kept"]
    assert [found[name] for name in ("dangling", "backwards", "outside")] == [0, 0, 0]
    assert found["past"] == found["future"] == found["kept"] - 1


def test_a_tangle_without_blocks_is_told_as_such(page: Page, node: RunningNode) -> None:
    assert not page.find("empty").is_displayed()
    # Without its stream: the node's next milestone is a block again.
    page.ask("[page.source.rest(), page.tangle.clear()]")
    page.eventually(lambda: page.find("empty").is_displayed(), "nothing says that there are no blocks")
    page.ask("dispatchEvent(new Event('pageshow'))")
    page.await_block(node.attach(note("the first")))
    page.eventually(lambda: not page.find("empty").is_displayed(), "the notice stays")
    assert page.complaints() == []


def test_addresses_are_written_as_the_node_writes_them(page: Page, node: RunningNode) -> None:
    script = """
        const [hex, prefix, done] = arguments;
        Promise.all([import('/web/bech32.js'), import('/web/words.js')]).then(([{ bech32 }, { bytesOf }]) =>
          done(bech32(prefix, bytesOf(hex))));
    """
    for name in ("a", "b", "c"):
        address = Key.named(name).address
        written = page.driver.execute_async_script(script, hex_of(address.encode()), node.settings.bech32_hrp)
        assert written == node.bech32(address)


def _parameters(node: RunningNode) -> ProtocolParameters:
    return node.settings.parameters()


def _links(page: Page) -> set[str]:
    anchors = page.find("details").find_elements(By.TAG_NAME, "a")
    return {str(anchor.get_attribute("href")) for anchor in anchors}


def _answers(page: Page, why: str) -> bool:
    said: str = page.driver.execute_script("return document.getElementById('wanted').validationMessage")
    return why in said
