// However a reply comes in, what stands at the end is what rendering it at once gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { documents, OURS } from "./corpus.js";
import { place } from "./dom.js";
import { prefixes, seeded } from "./random.js";

const { MarkdownRenderer } = await import("../../metask_magic/display/frontend/src/markdown/renderer.js");

function atOnce(text) {
  const root = document.createElement("div");
  new MarkdownRenderer(root, { unhurried: true }).finish(text);
  return root;
}

function streamed(texts) {
  const root = document.createElement("div");
  const renderer = new MarkdownRenderer(root, { unhurried: true });
  let last = "";
  for (const text of texts) renderer.write((last = text));
  return { root, renderer, finish: () => renderer.finish(last) };
}

const SEED = Number(process.env.METASK_SEED ?? 20_260_101);
const RUNS = Number(process.env.METASK_RUNS ?? 60);

test("every document of the specifications, cut at random, ends as rendered at once", () => {
  const random = seeded(SEED);
  for (const text of documents()) {
    const { root, finish } = streamed(prefixes(text, random));
    finish();
    assert.equal(root.innerHTML, atOnce(text).innerHTML, `seed ${SEED}: ${JSON.stringify(text)}`);
  }
});

test("so do documents put together at random, each cut three times", () => {
  const random = seeded(SEED + 1);
  const pick = (texts) => texts[Math.floor(random() * texts.length)];
  const all = documents();
  for (let run = 0; run < RUNS; run++) {
    const parts = Array.from({ length: 2 + Math.floor(random() * 5) }, () => pick(random() < 0.4 ? OURS : all));
    const text = parts.join(random() < 0.5 ? "\n" : "");
    const wanted = atOnce(text).innerHTML;
    for (let cut = 0; cut < 3; cut++) {
      const { root, finish } = streamed(prefixes(text, random));
      finish();
      assert.equal(root.innerHTML, wanted, `seed ${SEED}: ${JSON.stringify(text)}`);
    }
  }
});

test("while it streams, cuts do not show: closed blocks are closed for good", () => {
  const random = seeded(SEED + 2);
  let different = 0;
  const all = documents().filter((text) => !text.includes("]:")); // a definition comes when it comes
  for (const text of all) {
    const { root } = streamed(prefixes(text, random));
    if (root.innerHTML !== streamed([text]).root.innerHTML) different++;
  }
  assert.ok(different <= all.length / 100, `${different} of ${all.length} differ`);
});

const REFERENCES = {
  "defined later": "See [docs] and [x][Docs].\n\n## More\n\nText.\n\n[docs]: https://example.org/\n\nEnd.",
  "defined earlier": "[docs]: https://example.org/\n\nSee [docs].\n\nAnd [docs] again.",
  "defined in a quote": "See [docs].\n\n> [docs]: https://example.org/\n\nEnd.",
  "defined twice": "[docs]\n\n[docs]: https://example.org/a\n[docs]: https://example.org/b\n\n[docs]",
  "defined over two lines": 'See [docs].\n\n[docs]:\n  https://example.org/\n  "Title"\n\nEnd.',
};

for (const [name, text] of Object.entries(REFERENCES)) {
  test(`a reference ${name} resolves, while the text still streams`, () => {
    const { root, finish } = streamed(Array.from(text, (_, index) => text.slice(0, index + 1)));
    const live = root.querySelectorAll("a").length;
    finish();
    assert.equal(root.innerHTML, atOnce(text).innerHTML);
    assert.equal(live, root.querySelectorAll("a").length);
    assert.ok(live > 0);
  });
}

test("blocks that are closed keep their nodes", () => {
  const root = document.createElement("div");
  const renderer = new MarkdownRenderer(root, { unhurried: true });
  renderer.write("# Title\n\nFirst *paragraph*.\n\nSecond");
  const [title, first] = root.children;
  renderer.write("# Title\n\nFirst *paragraph*.\n\nSecond one.\n\n- and\n- more");
  renderer.finish("# Title\n\nFirst *paragraph*.\n\nSecond one.\n\n- and\n- more\n");
  assert.equal(root.children[0], title);
  assert.equal(root.children[1], first);
});

test("a selection in the open block survives", () => {
  const root = place();
  const renderer = new MarkdownRenderer(root, { unhurried: true });
  renderer.write("Some *text* to sel");
  const node = root.querySelector("em").firstChild;
  const open = root.firstChild.lastChild;
  renderer.write("Some *text* to select **here**");
  assert.equal(root.querySelector("em").firstChild, node);
  assert.equal(root.firstChild.childNodes[2], open);
});

test("a displayed formula does not look like Markdown before it is closed", () => {
  const { root } = streamed(["Now\n\n$$\na_i * b\n- c_i"]);
  assert.equal(root.innerHTML, '<p>Now</p><p><span class="metask-formula">$$\na_i * b\n- c_i</span></p>');
});

test("half a number does not end a list", () => {
  const { root } = streamed(["1. one\n\n", "1. one\n\n2", "1. one\n\n2. two"]);
  assert.equal(root.querySelectorAll("ol").length, 1);
});

test("text that comes after the end is taken in", () => {
  const root = document.createElement("div");
  const renderer = new MarkdownRenderer(root, { unhurried: true });
  renderer.finish("one *two");
  renderer.finish("one *two* three\n\nfour");
  assert.equal(root.innerHTML, "<p>one <em>two</em> three</p><p>four</p>");
});
