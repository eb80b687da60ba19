// The words of the page in the kernel's language: what is shown, what is heard, what is saved.
import assert from "node:assert/strict";
import { test } from "node:test";
import { column } from "./kernel.js";
import { open, press } from "./page.js";

const { speaker } = await import("../../metask_magic/display/frontend/src/session/say.js");

const WORDS = {
  Stop: "停止",
  "Stopping…": "正在停止…",
  "Stop the reply of {model}": "停止 {model} 的回复",
  Copy: "复制",
  "Copy the reply of {model} as Markdown": "以 Markdown 复制 {model} 的回复",
  "Reply of {model}": "{model} 的回复",
  Steps: "步骤",
  "✗ failed": "✗ 失败",
  nothing: "无内容",
  Reasoning: "思考过程",
  "state|Reasoning": "思考中",
  Waiting: "等待中",
  Failed: "失败",
  "{state}. {note}": "{state}。{note}",
  ": {state}": "：{state}",
  Task: "任务",
  image: "图片",
};

for (const [name, words, sentence, values, said] of [
  ["English", undefined, "Reply of {model}", { model: "m" }, "Reply of m"],
  ["a translation", WORDS, "Reply of {model}", { model: "m" }, "m 的回复"],
  ["none for this sentence", WORDS, "Done", {}, "Done"],
  ["a meaning, translated", WORDS, "state|Reasoning", {}, "思考中"],
  ["a meaning, in English", {}, "state|Reasoning", {}, "Reasoning"],
  ["a value with braces", WORDS, "Reply of {model}", { model: "{model}" }, "{model} 的回复"],
  ["a name without a value", WORDS, "{state}. {note}", { state: "失败" }, "失败。{note}"],
]) {
  test(`a sentence: ${name}`, () => assert.equal(speaker(words)(sentence, values), said));
}

test("a view shows and announces the kernel's words", () => {
  const step = { title: "t", body: "", failed: true };
  const { $, el, change, model } = open({ words: WORDS, state: [column({ steps: [step] })] });
  assert.equal($(".metask-state").textContent, "等待中");
  model.receive({ type: "ack" });
  change({ status: "streaming" });
  assert.equal($(".metask-stop").textContent, "停止");
  assert.equal($(".metask-stop").getAttribute("aria-label"), "停止 gpt-x 的回复");
  assert.equal($(".metask-copy").textContent, "复制");
  assert.equal($(".metask-copy").getAttribute("aria-label"), "以 Markdown 复制 gpt-x 的回复");
  assert.equal($("section").getAttribute("aria-label"), "gpt-x 的回复");
  assert.equal($(".metask-steps").ariaLabel, "步骤");
  assert.equal($("summary .metask-failed").textContent, "✗ 失败");
  assert.equal($(".metask-result").textContent, " → 无内容");
  model.receive({ type: "delta", reasoning: [[0, 0, "Hm."]] });
  change({ detail: "1 s" });
  assert.equal($(".metask-state").textContent, "思考中");
  assert.equal($(".metask-reasoning summary").textContent, "思考过程");
  press($(".metask-stop"));
  assert.equal($(".metask-stop").textContent, "正在停止…");
  change({ status: "error", note: "坏了。" });
  assert.match(document.querySelector(".metask-announcer").textContent, /gpt-x：失败。坏了。$/);
  assert.doesNotMatch(el.textContent, /Stop|Copy|Reason|Wait|fail/);
});

test("so do the parts of a reply that we name", () => {
  const { $, write } = open({ words: WORDS });
  write("- [ ] do\n\n![](https://example.com/x.png)\n");
  assert.equal($("input").ariaLabel, "任务");
  assert.equal($(".metask-image").textContent, "图片");
});
