// Formulas set by the page's own typesetter: closed ones, once each, and kept while the text goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { place } from "./dom.js";

const { createRenderer } = await import("../../metask_magic/display/frontend/src/view/answer.js");
const { typesetterOf } = await import("../../metask_magic/display/frontend/src/markdown/typeset.js");

/** A page whose typesetter makes `<b>TeX</b>`, as soon as it is asked or later. */
function open() {
  const asked = [];
  const rendermime = {
    latexTypesetter: {
      typeset(node) {
        asked.push(node.textContent);
        const set = document.createElement("b");
        set.append(node.textContent);
        node.replaceChildren(set);
      },
    },
  };
  const root = place();
  const renderer = createRenderer(root, "markdown", typesetterOf({ widget_manager: { rendermime } }));
  return { asked, root, renderer };
}

/** Copies are made when a promise has been kept. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a closed formula is set, an open one is not", () => {
  const { asked, root, renderer } = open();
  renderer.write("Let $x^2$ be $$y");
  assert.deepEqual(asked, ["$x^2$"]);
  assert.equal(root.querySelector("b").textContent, "$x^2$");
  renderer.write("Let $x^2$ be $$y$$.");
  assert.deepEqual(asked, ["$x^2$", "$$y$$"]);
});

test("what is set stays the same node while the text goes on", () => {
  const { asked, root, renderer } = open();
  renderer.write("Let $x$");
  const set = root.querySelector("b");
  for (const text of ["Let $x$ be", "Let $x$ be *one*", "Let $x$ be *one*.\n\nNext", "Let $x$ be *one*.\n\nNext."]) {
    renderer.write(text);
    assert.equal(root.querySelector("b"), set);
  }
  renderer.finish("Let $x$ be *one*.\n\nNext.");
  assert.equal(root.querySelector("b"), set);
  assert.deepEqual(asked, ["$x$"]);
});

test("the same formula is set once, and copied", async () => {
  const { asked, root, renderer } = open();
  renderer.write("$x$");
  await settled();
  renderer.write("$x$ and $x$\n\n- $x$");
  assert.deepEqual(asked, ["$x$"]);
  assert.equal(root.querySelectorAll("b").length, 3);
});

for (const tex of ["\\href{javascript:x}{y}", "\\cssId{a}{b}", "\\def\\x{\\x}\\x", "\\newcommand{\\x}{\\x}", "\\require{x}", "x".repeat(2000)]) {
  test(`left as it was written: ${tex.slice(0, 20)}`, () => {
    const { asked, root, renderer } = open();
    renderer.write(`$${tex}$`);
    assert.deepEqual(asked, []);
    assert.equal(root.textContent, `$${tex}$`);
  });
}

test("code holds no formula", () => {
  const { asked, renderer } = open();
  renderer.write("`$x$`\n\n```\n$y$\n```");
  assert.deepEqual(asked, []);
});

test("a page without a typesetter shows TeX", () => {
  for (const manager of [undefined, {}, { rendermime: {} }]) assert.equal(typesetterOf({ widget_manager: manager }), null);
  const root = place();
  createRenderer(root, "markdown", null).write("$x$");
  assert.equal(root.textContent, "$x$");
});
