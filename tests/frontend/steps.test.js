// Steps, texts that give way, formats: the protocol's end in the page, and what is seen of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { column } from "./kernel.js";
import { open, paint, view } from "./page.js";

const { Session } = await import("../../metask_magic/display/frontend/src/session/session.js");

const CALL = { title: 'f(city="Paris")', body: "21 °C\nclear", failed: false };
const FAILED = { title: "g()", body: "no", failed: true };
const steps = (...added) => ({ type: "delta", steps: added });

test("steps are appended once, in their places; a gap is noticed", () => {
  const session = new Session(2);
  session.receive(steps([1, 0, CALL]));
  session.receive(steps([1, 0, CALL], [1, 1, FAILED]));
  assert.deepEqual(session.columns.map((one) => one.steps), [[], [CALL, FAILED]]);
  session.receive(steps([0, 1, FAILED], [7, 0, CALL]));
  assert.equal(session.behind, true);
  session.receive({ type: "keyframe", state: [column({ steps: [CALL, FAILED] }), column({ steps: [CALL] })] });
  assert.deepEqual(session.columns.map((one) => one.steps), [[CALL, FAILED], [CALL, FAILED]]);
  assert.equal(session.behind, false);
});

test("an older keyframe does not bring back what gave way", () => {
  const session = new Session(1);
  session.receive({ type: "delta", text: [[0, 0, "wrongright"]], status: [[0, { start: 5, status: "streaming" }]] });
  session.adopt([column({ text: "wrong", status: "streaming" })]);
  session.receive({ type: "delta", text: [[0, 0, "wrong"]] });
  assert.deepEqual(session.columns, [column({ text: "wrongright", start: 5, status: "streaming" })]);
});

test("each step is a section with its title as code and its result as text", () => {
  const { el, model, $, write } = open();
  model.receive(steps([0, 0, CALL], [0, 1, FAILED]));
  write("Warm.");
  const [first, second] = el.querySelectorAll("details.metask-step");
  assert.equal(first.querySelector("summary").textContent, 'f(city="Paris") → 21 °C clear');
  assert.equal(first.querySelector("summary code").textContent, CALL.title);
  assert.equal(first.querySelector("pre").textContent, CALL.body);
  assert.match(second.querySelector("summary").textContent, /^✗ failed g\(\)/);
  assert.equal(first.open, false);
  assert.ok($(".metask-steps").compareDocumentPosition($(".metask-body")) & Node.DOCUMENT_POSITION_FOLLOWING);
});

test("a step that was opened stays open, and is the same node", () => {
  const { el, model, write } = open();
  model.receive(steps([0, 0, CALL]));
  paint();
  const first = el.querySelector(".metask-step");
  first.open = true;
  model.receive(steps([0, 1, FAILED]));
  write("more");
  assert.equal(el.querySelector(".metask-step"), first);
  assert.equal(first.open, true);
  assert.equal(el.querySelectorAll(".metask-step").length, 2);
});

test("a late view has the steps", () => {
  const { model } = open({ state: [column({ steps: [CALL] })] });
  assert.equal(view(model).$(".metask-step code").textContent, CALL.title);
});

test("what is in a step stays text, and turns no line around", () => {
  const { el, model, $ } = open();
  const hostile = "<img src=x onerror=alert(1)>\u202e\u001b[31m[x](javascript:y)";
  model.receive(steps([0, 0, { title: hostile, body: hostile, failed: true }]));
  paint();
  assert.equal(el.querySelector(".metask-steps :is(img, a)"), null);
  assert.equal($(".metask-step pre").textContent, "<img src=x onerror=alert(1)>[x](javascript:y)");
});

test("a text that gives way goes; what follows is read from its own beginning", () => {
  const { model, $, write } = open();
  write("```\nwrong");
  model.receive({ type: "delta", text: [[0, 9, "**right**"]], status: [[0, { start: 9 }]] });
  paint();
  assert.equal($(".metask-body").innerHTML, "<p><strong>right</strong></p>");
  write("!", 18);
  assert.equal($(".metask-body").textContent, "right!");
});

const FORMATS = {
  text: ["# *a*\n  <b>", "<pre class=\"metask-plain\"># *a*\n  &lt;b&gt;</pre>"],
  math: ["a_1 \\\\ b_2", "<pre class=\"metask-plain\">a_1 \\\\ b_2</pre>"],
  json: ["```json\n[1]\n```", "<pre><code class=\"language-json\">"],
  html: ["<p>```</p>", "<pre><code class=\"language-html\">"],
};

for (const [format, [text, shown]] of Object.entries(FORMATS)) {
  test(`while it is written, ${format} is shown as what it is`, () => {
    const { $, change } = open({ format, state: [column({ text, status: "streaming" })] });
    assert.ok($(".metask-body").innerHTML.startsWith(shown), $(".metask-body").innerHTML);
    assert.equal($(".metask-body").textContent.trim(), text.replaceAll(/^```json\n|\n```$/g, ""));
    change({ status: "stop" });
    assert.ok($(".metask-body").innerHTML.startsWith(shown));
  });
}
