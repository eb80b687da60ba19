// The widget as a page sees it: columns, states, Copy, and what assistive technology is told.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { column } from "./kernel.js";
import { click, closeAll, open, paint, press, view } from "./page.js";

test("one model: the text first, the bar below it", () => {
  const { el, $, write, change } = open();
  write("Hello **world**");
  change({ status: "streaming", detail: "1.2 s" });
  assert.equal($(".metask-body").innerHTML, "<p>Hello <strong>world</strong></p>");
  assert.equal($(".metask-header"), null);
  assert.equal($(".metask-bar").textContent, "gpt-xAnswering1.2 s");
  assert.ok(el.classList.contains("metask-one"));
  const order = $(".metask-body").compareDocumentPosition($(".metask-bar"));
  assert.ok(order & Node.DOCUMENT_POSITION_FOLLOWING);
});

for (const [page, isOfJupyter] of [["JupyterLab", true], ["VS Code", false]]) {
  test(`Jupyter's classes, and what a manager of widgets makes of them elsewhere: ${page}`, () => {
    document.body.toggleAttribute("data-jp-theme-light", isOfJupyter);
    const { $ } = open();
    for (const name of ["metask-body", "metask-reasoning-body"]) {
      assert.equal($(`.${name}`).className, isOfJupyter ? `${name} jp-RenderedHTMLCommon jp-RenderedMarkdown` : name);
    }
    document.body.removeAttribute("data-jp-theme-light");
  });
}

test("several models: a column each, with its name at the top", () => {
  const { el } = open({ columns: ["a", "b", "c"] });
  assert.deepEqual([...el.querySelectorAll(".metask-header .metask-title")].map((node) => node.textContent), ["a", "b", "c"]);
  assert.equal(el.style.getPropertyValue("--metask-columns"), "3");
});

test("a view that comes late shows all there is, at once", () => {
  const { model } = open({ state: [column({ text: "# So far", status: "streaming", detail: "9 s" })] });
  const late = view(model);
  assert.equal(late.$("h1").textContent, "So far");
  assert.equal(late.$(".metask-detail").textContent, "9 s");
  late.write(" and on", 8);
  assert.equal(late.$("h1").textContent, "So far and on");
});

test("several views of a cell show the same", () => {
  const first = open();
  const second = view(first.model);
  first.write("same");
  assert.equal(first.$("p").textContent, "same");
  assert.equal(second.$("p").textContent, "same");
});

const ENDS = {
  stop: "Done",
  length: "Cut off",
  tool_calls: "Asks for a tool",
  content_filter: "Filtered",
  interrupted: "Stopped",
  incomplete: "Perhaps cut off",
  error: "Failed",
  empty: "Empty",
  refused: "Refused",
};

for (const [status, word] of Object.entries(ENDS)) {
  test(`the end "${status}" is named, announced, and cannot be stopped any more`, () => {
    const { model, $, change } = open();
    model.receive({ type: "ack" });
    change({ status: "streaming" });
    assert.equal($(".metask-stop").hidden, false);
    change({ status, note: "Because." });
    assert.equal($(".metask-state").textContent, word);
    assert.equal(document.querySelector("[role=status]").lastChild.textContent, `gpt-x: ${word}. Because.`);
    assert.equal($(".metask-note").textContent, "Because.");
    assert.equal($(".metask-stop").hidden, true);
    assert.equal($(".metask-column").dataset.status, status);
  });
}

test("a note that begins with the word of the state is heard alone", () => {
  const { $, change } = open();
  change({ status: "empty", note: "Empty: the gateway sent no text." });
  assert.equal($(".metask-state").textContent, "Empty");
  assert.equal(document.querySelector("[role=status]").lastChild.textContent, "gpt-x: Empty: the gateway sent no text.");
});

test("an end is told once, however often it comes", () => {
  const { model, $, change } = open();
  const end = { status: "length", note: "Raise --max-tokens." };
  change(end);
  const said = document.querySelector("[role=status]").lastChild;
  change(end);
  model.receive({ type: "keyframe", state: [column(end)] });
  paint();
  assert.equal(document.querySelector("[role=status]").lastChild, said, "it would be read out again");
  assert.equal($(".metask-note").textContent, "Raise --max-tokens.");
});

test("a stranger's word in a note is text", () => {
  const { $, change } = open();
  const word = `<img src=x onerror=alert(1)>![x](http://a.example)**b**$x$${"y".repeat(10_000)}`;
  change({ status: "incomplete", note: `It ended (\u001b[31m\u202e${word}).` });
  assert.equal($(".metask-note").textContent, `It ended (${word}).`);
  assert.equal($(".metask-note").children.length, 0);
  assert.equal(document.querySelector("[role=status]").lastChild.textContent, `gpt-x: Perhaps cut off. It ended (${word}).`);
});

test("a kernel that goes in mid-stream leaves the text, and nothing that waits", () => {
  const { model, $, write, change } = open();
  model.receive({ type: "ack" });
  write("so far");
  change({ status: "streaming" });
  model.lose();
  paint();
  assert.equal($("p").textContent, "so far");
  assert.equal($(".metask-stop").hidden, true);
  assert.equal($(".metask-column").dataset.status, "incomplete");
  assert.match($(".metask-state").textContent, /kernel has gone/);
  change({ detail: "2 s" });
  assert.equal($(".metask-state").textContent, "Answering", "it was only out of reach");
});

test("a kernel that goes after the end changes nothing", () => {
  const { model, $, change } = open();
  change({ status: "stop" });
  model.lose();
  paint();
  assert.equal($(".metask-state").textContent, "Done");
});

test("a note comes and goes", () => {
  const { $, change } = open();
  change({ status: "waiting", note: "Rate limited: waiting 3 s" });
  assert.equal($(".metask-note").textContent, "Rate limited: waiting 3 s");
  change({ status: "streaming", note: "" });
  assert.equal($(".metask-note").textContent, "");
});

test("a status that comes before its text does not hide the text", () => {
  const { model, $, change } = open();
  model.receive({ type: "delta", text: [[0, 3, "def"]] });
  change({ status: "stop" });
  model.receive({ type: "keyframe", state: [column({ text: "abcdef", status: "stop" })] });
  paint();
  assert.equal($(".metask-body").textContent, "abcdef");
});

test("reasoning is open while it grows and closed after", () => {
  const { model, $ } = open();
  assert.equal($("details").hidden, true);
  model.receive({ type: "delta", reasoning: [[0, 0, "Let me *think*"]], status: [[0, { status: "streaming" }]] });
  paint();
  assert.equal($("details").hidden, false);
  assert.equal($("details").open, true);
  assert.equal($(".metask-state").textContent, "Reasoning");
  assert.equal($(".metask-reasoning-body").innerHTML, "<p>Let me <em>think</em></p>");
  model.receive({ type: "delta", text: [[0, 0, "So"]] });
  paint();
  assert.equal($("details").open, false);
  assert.equal($(".metask-state").textContent, "Answering");
});

test("reasoning stands above while there is nothing else, and below the answer", () => {
  const { $, change, model } = open();
  const isAbove = () => Boolean($(".metask-reasoning").compareDocumentPosition($(".metask-body")) & Node.DOCUMENT_POSITION_FOLLOWING);
  model.receive({ type: "delta", reasoning: [[0, 0, "Hm."]] });
  change({ status: "streaming" });
  assert.ok(isAbove());
  model.receive({ type: "delta", text: [[0, 0, "42"]] });
  paint();
  assert.ok(!isAbove());
});

for (const text of ["", "42"]) {
  test(`what is said of the end stands right below the ${text ? "answer" : "place of an answer"}`, () => {
    const { $, change, model } = open();
    model.receive({ type: "delta", reasoning: [[0, 0, "Hm."]], text: [[0, 0, text]] });
    change({ status: "length", note: "Cut off." });
    assert.equal($(".metask-body").nextSibling, $(".metask-note"));
    assert.equal($(".metask-note").nextSibling, $(".metask-reasoning"));
    assert.ok($(".metask-column").classList.contains("metask-ended"));
  });
}

test("reasoning that was opened or closed by hand is left alone", () => {
  const { model, $ } = open();
  model.receive({ type: "delta", reasoning: [[0, 0, "hm"]] });
  paint();
  click($("summary"), 1);
  $("details").open = true;
  model.receive({ type: "delta", text: [[0, 0, "So"]], status: [[0, { status: "stop" }]] });
  paint();
  assert.equal($("details").open, true);
});

// Copy, names, assistive technology

test("Copy copies the Markdown", async () => {
  const copied = [];
  Object.defineProperty(globalThis, "navigator", {
    value: { clipboard: { writeText: async (text) => copied.push(text) } },
    configurable: true,
  });
  const { $, write } = open();
  write("**bold**");
  press($(".metask-copy"));
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(copied, ["**bold**"]);
  assert.equal($(".metask-copy").textContent, "Copied");
  mock.timers.tick(1500);
  assert.equal($(".metask-copy").textContent, "Copy");
});

const NAMES = {
  "gpt\u202e4-tpg": "gpt4-tpg",
  "\u001b[31mred\u001b[0m": "red",
  "a\nb\u0000\u200bc": "a bc",
  "模型-🙂": "模型-🙂",
  "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
  "\u2066\u2069": "model",
};

test("names cannot turn or break the lines they stand in", () => {
  for (const [name, shown] of Object.entries(NAMES)) {
    const { $ } = open({ columns: [name] });
    assert.equal($("bdi.metask-title").textContent, shown);
    assert.equal($(".metask-column").getAttribute("aria-label"), `Reply of ${shown}`);
    assert.equal($("img"), null);
  }
});

test("assistive technology hears states, not tokens", () => {
  const { $, change, write, model } = open();
  change({ status: "streaming" });
  write("a word");
  assert.equal($(".metask-body").getAttribute("aria-live"), "off");
  const region = document.querySelector("[role=status]");
  assert.equal(region.getAttribute("aria-live"), "polite");
  assert.deepEqual([...region.children].map((said) => said.textContent), ["gpt-x: Waiting", "gpt-x: Answering"]);
  model.receive({ type: "delta", status: [[0, { status: "stop" }]] });
  closeAll(); // the record takes the view's place before it is painted again
  assert.equal(region.lastChild.textContent, "gpt-x: Done");
  mock.timers.tick(10_000);
  assert.equal(region.textContent, "");
});

test("buttons say whose they are", () => {
  const { $ } = open();
  assert.equal($(".metask-stop").getAttribute("aria-label"), "Stop the reply of gpt-x");
  assert.equal($(".metask-copy").getAttribute("aria-label"), "Copy the reply of gpt-x as Markdown");
  assert.equal($("button").type, "button");
});

test("who works by keyboard stays where the view was", () => {
  const { el, $ } = open();
  el.parentElement.tabIndex = 0;
  $(".metask-copy").focus();
  closeAll();
  assert.equal(document.activeElement, el.parentElement);
  el.parentElement.removeAttribute("tabindex");
});

test("who is elsewhere stays there", () => {
  const { el } = open();
  const elsewhere = document.body.appendChild(document.createElement("button"));
  el.parentElement.tabIndex = 0;
  elsewhere.focus();
  closeAll();
  assert.equal(document.activeElement, elsewhere);
  el.parentElement.removeAttribute("tabindex");
});

test("a view that is gone does nothing more", () => {
  const { model, $, write } = open();
  write("a");
  closeAll();
  write("b", 1);
  assert.equal($(".metask-body").textContent, "a");
  mock.timers.tick(10_000);
  assert.deepEqual(model.sent, []);
});
