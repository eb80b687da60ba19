// Each feature of Markdown, as the DOM it becomes. Rendered at once; renderer.test.js covers streaming.
import assert from "node:assert/strict";
import { test } from "node:test";
import { place } from "./dom.js";

const { MarkdownRenderer } = await import("../../metask_magic/display/frontend/src/markdown/renderer.js");

function render(text) {
  const root = place();
  new MarkdownRenderer(root, { unhurried: true }).finish(text);
  return root.innerHTML;
}

const link = (address, text, title = address) =>
  `<a href="${address}" target="_blank" rel="noopener noreferrer nofollow" title="${title}">${text}</a>`;
const formula = (source) => `<span class="metask-formula">${source}</span>`;

const FEATURES = {
  // blocks
  "paragraphs": ["one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"],
  "atx headings": ["# a\n### b ###", "<h1>a</h1><h3>b</h3>"],
  "setext headings": ["a\n===\n\nb\n---", "<h1>a</h1><h2>b</h2>"],
  "a thematic break": ["a\n\n***", "<p>a</p><hr>"],
  "a quote": ["> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"],
  "a list": ["- a\n- b", "<ul><li>a</li><li>b</li></ul>"],
  "a loose list": ["- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
  "a list from five": ["5) a\n6) b", '<ol start="5"><li>a</li><li>b</li></ol>'],
  "a nested list": ["1. a\n   - b\n     - c", "<ol><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ol>"],
  "a task list": ["- [x] a\n- [ ] b", '<ul><li class="metask-task"><input type="checkbox" disabled="" checked=""> a</li><li class="metask-task"><input type="checkbox" disabled=""> b</li></ul>'],
  "several paragraphs in an item": ["1. a\n\n   b", "<ol><li><p>a</p><p>b</p></li></ol>"],
  "a table": ["| a | b |\n|:-:|--|\n| `1|2` | 3 |", '<table><thead><tr><th style="text-align: center;">a</th><th>b</th></tr></thead><tbody><tr><td style="text-align: center;">`1</td><td>2`</td></tr></tbody></table>'],
  "a fence": ["```\n*a*\n```", "<pre><code>*a*</code></pre>"],
  "a fence of tildes": ["~~~\n```\n~~~", "<pre><code>```</code></pre>"],
  "a fence that is not closed": ["```\n# a\n\n- b", "<pre><code># a\n\n- b</code></pre>"],
  "a fence in a list": ["- a\n  ```\n  b\n  ```", "<ul><li>a<pre><code>b</code></pre></li></ul>"],
  "a fence in a language nobody knows": ["```klingon\nx\n```", '<pre><code class="language-klingon">x</code></pre>'],
  "a highlighted fence": ["```python\nx = 1\n```", '<pre><code class="language-python">x = <span class="hljs-number">1</span></code></pre>'],
  "JavaScript by its short name": ["```js\nlet x\n```", '<pre><code class="language-js"><span class="hljs-keyword">let</span> x</code></pre>'],
  "indented code": ["    a *b*", "<pre><code>a *b*</code></pre>"],
  // inline
  "emphasis": ["*a* __b__ ***c*** ~~d~~", "<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em> <del>d</del></p>"],
  "snake case": ["snake_case_name 2 * 3 * 4", "<p>snake_case_name 2 * 3 * 4</p>"],
  "code spans": ["``a ` b`` `&amp;`", "<p><code>a ` b</code> <code>&amp;amp;</code></p>"],
  "hard breaks": ["a  \nb\\\nc", "<p>a<br>b<br>c</p>"],
  "escapes": ["\\*a\\* \\# \\\\", "<p>*a* # \\</p>"],
  "character references": ["&amp; &copy; &#8212; &#x41; &nosuchname; &#38;lt;", "<p>&amp; © — A &amp;nosuchname; &amp;lt;</p>"],
  "a link": ["[a *b*](https://example.org/x)", `<p>${link("https://example.org/x", "a <em>b</em>")}</p>`],
  "a link with a title": ['[a](https://example.org/ "T &amp; U")', `<p>${link("https://example.org/", "a", "T &amp; U — https://example.org/")}</p>`],
  "an autolink": ["<https://example.org/>", `<p>${link("https://example.org/", "https://example.org/")}</p>`],
  "a bare address": ["see https://example.org/x.", `<p>see ${link("https://example.org/x", "https://example.org/x")}.</p>`],
  "an e-mail address": ["<a@example.org>", `<p>${link("mailto:a@example.org", "a@example.org")}</p>`],
  "a reference": ["[a][b] [b]\n\n[b]: https://example.org/", `<p>${link("https://example.org/", "a")} ${link("https://example.org/", "b")}</p>`],
  "a reference nobody defines": ["[a][b] [c]", "<p>[a][b] [c]</p>"],
  "HTML stays text": ["<b>a</b>\n\n<div>\n*b*\n</div>", "<p>&lt;b&gt;a&lt;/b&gt;</p><p>&lt;div&gt;\n<em>b</em>\n&lt;/div&gt;</p>"],
  "carriage returns": ["a\r\nb\r\n\r\nc", "<p>a\nb</p><p>c</p>"],
  // TeX
  "inline TeX": ["$a_i * b_i * c$", `<p>${formula("$a_i * b_i * c$")}</p>`],
  "displayed TeX": ["$$\n- a_i\n# b\n$$", `<p>${formula("$$\n- a_i\n# b\n$$")}</p>`],
  "TeX with brackets": ["\\(a*b*c\\) \\[a_b_c\\]", `<p>${formula("\\(a*b*c\\)")} ${formula("\\[a_b_c\\]")}</p>`],
  "a TeX environment": ["\\begin{align*}\na &= b \\\\\n&= *c*\n\\end{align*}", `<p>${formula("\\begin{align*}\na &amp;= b \\\\\n&amp;= *c*\n\\end{align*}")}</p>`],
  "TeX in a table": ["|a|\n|-|\n|$x|y$|", `<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>${formula("$x|y$")}</td></tr></tbody></table>`],
  "TeX within emphasis": ["**so $a*b$ is**", `<p><strong>so ${formula("$a*b$")} is</strong></p>`],
  "TeX with balanced braces": ["$\\text{costs \\$5 or $x$}$ *a*", `<p>${formula("$\\text{costs \\$5 or $x$}$")} <em>a</em></p>`],
  "TeX does not cross a blank line": ["$a *b*\n\n*c*$", "<p>$a <em>b</em></p><p><em>c</em>$</p>"],
  "prices": ["$5 and *really* $10", "<p>$5 and <em>really</em> $10</p>"],
  "no TeX in code": ["`$a` *b* `c$`\n\n```\n$x$\n```", "<p><code>$a</code> <em>b</em> <code>c$</code></p><pre><code>$x$</code></pre>"],
  "an escaped dollar sign": ["\\$a *b* c$", "<p>$a <em>b</em> c$</p>"],
};

for (const [name, [source, html]] of Object.entries(FEATURES)) {
  test(name, () => assert.equal(render(source), html));
}
