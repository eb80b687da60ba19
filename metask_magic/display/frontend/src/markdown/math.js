/**
 * TeX is set aside before Markdown is read, as JupyterLab does: `$a_i * b_i$` holds no emphasis. What is closed is
 * typeset where the page can (see typeset.js).
 *
 * The rules are JupyterLab's (`$…$`, `$$…$$`, `\\(…\\)`, `\\[…\\]`, `\begin{…}…\end{…}`; braces balance, a blank
 * line ends it), with two additions: `\(…\)` and `\[…\]`, which models write all the time, and that a price
 * is no formula (`$5 and $10`).
 *
 * Each formula becomes a word of its own length, so that offsets into the text stay true: a marker, two
 * characters that number the formula, and filling. They are noncharacters and private-use characters, which
 * Markdown treats as letters.
 */

const MARKER = "\ufdd0";
const FILLING = "\ufdd1";
const FIRST_DIGIT = 0xe000;
const BASE = 0xf900 - FIRST_DIGIT;
const PLACEHOLDER = /\ufdd0([\ue000-\uf8ff])([\ue000-\uf8ff])\ufdd1*/g;

/** What may open a formula, or hides one: an escape, a code fence, a code span. */
const OPENER =
  /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?<fence>`{3,}(?=[^`\n]*$)|~{3,})|(?<ticks>`+)|(?<math>\$\$?|\\begin\{[a-z]*\*?\}|\\\\?[([])|\\[^]/gimu;

/** What ends a formula, or is counted inside it. Compare JupyterLab's `MATHSPLIT`. */
const INSIDE = /\$\$?|\\end\{[a-z]*\*?\}|\\\\[()[\]]|\\[()[\]{}$\\]|[{}]|\n[ \t]*\n/gi;

/** @typedef {{end: number, open: boolean}} Formula Where it ends; whether the text ended before it was closed. */

/** @param {string} opener */
function closerOf(opener) {
  if (opener.startsWith("$")) return opener;
  if (opener.startsWith("\\begin")) return `\\end${opener.slice("\\begin".length)}`;
  return opener.slice(0, -1) + (opener.endsWith("(") ? ")" : "]");
}

/**
 * @param {string} text
 * @param {number} from Behind the opening delimiter.
 * @param {string} closer
 * @returns {Formula} `end` is 0 where nothing closes it.
 */
function findCloser(text, from, closer) {
  let braces = 0;
  let last = 0; // a closer within braces: taken where no better one comes
  INSIDE.lastIndex = from;
  for (let match = INSIDE.exec(text); match; match = INSIDE.exec(text)) {
    const [found] = match;
    if (found === closer) {
      last = INSIDE.lastIndex;
      if (braces === 0) return { end: last, open: false };
    } else if (found.startsWith("\n")) {
      return { end: last, open: false };
    } else if (found === "{") {
      braces++;
    } else if (found === "}" && braces > 0) {
      braces--;
    }
  }
  return { end: last, open: last === 0 };
}

/** @param {string} formula With its delimiters. */
function isPrice(formula) {
  return /^\$\d/.test(formula) && /\s\$$/.test(formula);
}

/** Walks through a text once and finds its formulas; code is passed over. */
class Scanner {
  /** @type {Map<string, number>} How far ahead it is known that a delimiter does not occur: keeps the walk linear. */
  #absentUntil = new Map();
  #text;
  #live;

  /** @param {string} text @param {boolean} live */
  constructor(text, live) {
    this.#text = text;
    this.#live = live;
  }

  /** @returns {Generator<{start: number, end: number, open: boolean}>} */
  *formulas() {
    const opener = new RegExp(OPENER);
    for (let match = opener.exec(this.#text); match; match = opener.exec(this.#text)) {
      const { fence, ticks, math } = /** @type {Record<string, string | undefined>} */ (match.groups);
      const from = opener.lastIndex;
      if (fence) opener.lastIndex = this.#endOfFence(from, fence);
      else if (ticks) opener.lastIndex = this.#endOfSpan(from, ticks);
      else if (math) {
        const formula = this.#formula(match.index, from, math);
        if (!formula) continue;
        yield formula;
        opener.lastIndex = formula.end;
      }
    }
  }

  /** @param {number} from @param {string} fence */
  #endOfFence(from, fence) {
    const closing = new RegExp(`^[ \\t>]*${fence[0]}{${fence.length},}[ \\t]*$`, "gm");
    closing.lastIndex = this.#text.indexOf("\n", from) + 1 || this.#text.length;
    return closing.exec(this.#text) ? closing.lastIndex : this.#text.length;
  }

  /** @param {number} from @param {string} ticks */
  #endOfSpan(from, ticks) {
    if (from < (this.#absentUntil.get(ticks) ?? 0)) return from;
    const closing = new RegExp(`(?<!\`)${ticks}(?!\`)|\\n[ \\t]*\\n`, "g");
    closing.lastIndex = from;
    const match = closing.exec(this.#text);
    if (match && !match[0].startsWith("\n")) return closing.lastIndex;
    this.#absentUntil.set(ticks, match?.index ?? this.#text.length);
    return from;
  }

  /** @param {number} start @param {number} from @param {string} opener */
  #formula(start, from, opener) {
    const closer = closerOf(opener);
    if (from < (this.#absentUntil.get(closer) ?? 0)) return undefined;
    const { end, open } = findCloser(this.#text, from, closer);
    if (end === 0) {
      // A displayed formula that is still being written must not look like Markdown until it is closed. A
      // single dollar sign may be anything.
      if (open && this.#live && opener !== "$" && !opener.endsWith("(")) {
        return { start, end: this.#text.length, open };
      }
      const blank = /\n[ \t]*\n/g;
      blank.lastIndex = from;
      this.#absentUntil.set(closer, blank.exec(this.#text)?.index ?? this.#text.length);
      return undefined;
    }
    const formula = this.#text.slice(start, end);
    const price = isPrice(formula) || (/^\$\d/.test(formula) && /\d/.test(this.#text[end] ?? ""));
    return price ? undefined : { start, end, open };
  }
}

/** Keeps the formulas of one document while their places are held by words. */
export class FormulaStore {
  /** @type {string[]} Number 0 is for the formula that is still being written. */
  #sources = [""];
  /** @type {Map<string, number>} The same formula always gets the same word: blocks can be compared. */
  #numbers = new Map();

  /**
   * @param {string} text
   * @param {{live?: boolean}} [options] `live`: the text goes on.
   * @returns {string} As long as `text`.
   */
  protect(text, { live = false } = {}) {
    const clean = text.replace(/[\ufdd0\ufdd1]/g, "\ufffd"); // so that no reply can fake a placeholder
    let result = "";
    let at = 0;
    for (const { start, end, open } of new Scanner(clean, live).formulas()) {
      if (end - start < 3) continue; // "$$" alone, still open
      result += clean.slice(at, start) + this.#placeholder(clean.slice(start, end), open);
      at = end;
    }
    return result + clean.slice(at);
  }

  /** @param {string} source @param {boolean} open */
  #placeholder(source, open) {
    let number = open ? 0 : this.#numbers.get(source);
    if (open) {
      this.#sources[0] = source;
    } else if (number === undefined) {
      number = this.#sources.push(source) - 1;
      this.#numbers.set(source, number);
    }
    const digits = [Math.floor(/** @type {number} */ (number) / BASE), /** @type {number} */ (number) % BASE];
    return (MARKER + String.fromCharCode(...digits.map((digit) => FIRST_DIGIT + digit))).padEnd(source.length, FILLING);
  }

  /** @param {string} high @param {string} low */
  #number(high, low) {
    return (high.charCodeAt(0) - FIRST_DIGIT) * BASE + low.charCodeAt(0) - FIRST_DIGIT;
  }

  /** @param {string} high @param {string} low */
  #source(high, low) {
    return this.#sources[this.#number(high, low)] ?? "";
  }

  /**
   * @param {string} text
   * @returns {string} With every formula as it was written.
   */
  restore(text) {
    if (!text.includes(MARKER)) return text;
    return text.replace(PLACEHOLDER, (_, high, low) => this.#source(high, low));
  }

  /**
   * @param {string} text
   * @returns {{text: string, isFormula: boolean, isOpen: boolean}[]} In their order, none empty.
   */
  split(text) {
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(PLACEHOLDER)) {
      if (match.index > at) parts.push({ text: text.slice(at, match.index), isFormula: false, isOpen: false });
      parts.push({ text: this.#source(match[1], match[2]), isFormula: true, isOpen: this.#number(match[1], match[2]) === 0 });
      at = match.index + match[0].length;
    }
    if (at < text.length) parts.push({ text: text.slice(at), isFormula: false, isOpen: false });
    return parts;
  }
}
