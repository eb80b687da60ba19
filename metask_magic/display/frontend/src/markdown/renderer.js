/**
 * Markdown that is still being written → DOM. Finished blocks are rendered once; the open end is rendered anew and
 * morphed into place. `finish` reads the whole text once more, so that what stands at the end is what rendering it
 * at once gives, however it came in.
 */
import { countClosed } from "./closing.js";
import { BlockBuilder, sourceElement } from "./elements.js";
import { definitionsIn, lex } from "./lexer.js";
import { FormulaStore } from "./math.js";
import { morph } from "./morph.js";
import { sayEnglish } from "../session/say.js";

/** @typedef {import("marked").Token} Token */
/** @typedef {import("marked").Links} Links */
/** @typedef {{source: string, key: string, node: HTMLElement | null}} Block A block as it stands in the document. */

/** Reading the open end may take this long. Three misses in a row and it is shown as it was written. */
const FRAME_MILLISECONDS = 150;
const MAX_MISSES = 3;

/** Reading the whole at the end may take this long. */
const FINISH_MILLISECONDS = 1500;

export class MarkdownRenderer {
  #root;
  #unhurried;
  #say;
  #formulas = new FormulaStore();
  /** @type {Block[]} */
  #closed = [];
  /** @type {Block[]} */
  #open = [];
  /** @type {Links} What the closed blocks define. */
  #definitions = Object.create(null);
  #closedLength = 0;
  #misses = 0;

  /**
   * @param {HTMLElement} root Where the blocks go. Nothing else may be in it.
   * @param {{unhurried?: boolean, say?: import("../session/say.js").Say}} [options] `unhurried`: no limits of time, for
   *   tests on slow machines.
   */
  constructor(root, { unhurried = false, say = sayEnglish } = {}) {
    this.#root = root;
    this.#unhurried = unhurried;
    this.#say = say;
  }

  /** @param {string} text All of it so far: what was written before, and more. */
  write(text) {
    const clean = withoutReturns(text);
    const end = clean.slice(this.#closedLength);
    const source = this.#formulas.protect(end, { live: true });
    const tokens = this.#misses < MAX_MISSES ? this.#lex(source, this.#definitions, FRAME_MILLISECONDS) : undefined;
    if (tokens) {
      this.#misses = 0;
      this.#writeEnd(tokens, end);
    } else if (++this.#misses >= MAX_MISSES) {
      this.#open = this.#place(this.#open, [this.#sourceBlock(end)]);
    }
  }

  /** @param {string} text The whole text. May be called again, should more come after all. */
  finish(text) {
    const clean = withoutReturns(text);
    const tokens = this.#lex(this.#formulas.protect(clean), {}, FINISH_MILLISECONDS);
    if (tokens) {
      this.#closed = this.#reconcile([...this.#closed, ...this.#open], tokens, clean, tokens.length);
      this.#open = [];
      this.#closedLength = clean.length;
      this.#definitions = definitionsIn(tokens);
    } else {
      this.#open = this.#place(this.#open, [this.#sourceBlock(clean.slice(this.#closedLength))]);
    }
  }

  /**
   * @param {string} source
   * @param {Links} definitions
   * @param {number} milliseconds
   * @returns {Token[] | undefined} Undefined where it takes too long, or overflows the parser.
   */
  #lex(source, definitions, milliseconds) {
    try {
      return lex(source, { definitions, milliseconds: this.#unhurried ? Infinity : milliseconds });
    } catch {
      return undefined;
    }
  }

  /** @param {Token[]} tokens The blocks of `end`. @param {string} end The text behind the closed blocks. */
  #writeEnd(tokens, end) {
    const count = countClosed(tokens);
    const blocks = this.#reconcile(this.#open, tokens, end, count);
    const closed = blocks.slice(0, count);
    this.#open = blocks.slice(count);
    this.#closedLength += closed.reduce((length, block) => length + block.source.length, 0);
    this.#define(definitionsIn(tokens.slice(0, count)));
    this.#closed.push(...closed);
  }

  /** @param {Links} definitions Perhaps new ones. References in blocks already closed become links now. */
  #define(definitions) {
    const labels = Object.keys(definitions).filter((label) => !(label in this.#definitions));
    if (!labels.length) return;
    for (const label of labels) this.#definitions[label] = definitions[label];
    this.#closed = this.#closed.flatMap((block) => (mentions(block.source, labels) ? this.#again(block) : [block]));
  }

  /** @param {Block} block @returns {Block[]} */
  #again(block) {
    const tokens = this.#lex(this.#formulas.protect(block.source), this.#definitions, FRAME_MILLISECONDS);
    return tokens ? this.#reconcile([block], tokens, block.source, tokens.length) : [block];
  }

  /**
   * Put `tokens` in the place of `olds`. What is the same at both ends stays untouched.
   *
   * @param {Block[]} olds Neighbours, in their order.
   * @param {Token[]} tokens
   * @param {string} text What `tokens` were read from.
   * @param {number} count The first so many tokens are closed.
   * @returns {Block[]} One for each token.
   */
  #reconcile(olds, tokens, text, count) {
    const keys = tokens.map((token, index) => (index < count ? "" : "live ") + JSON.stringify(token));
    let at = 0;
    const sources = tokens.map((token) => text.slice(at, (at += token.raw.length)));
    let head = 0;
    while (head < olds.length && head < keys.length && olds[head].key === keys[head]) head++;
    let tail = 0;
    const most = Math.min(olds.length, keys.length) - head;
    while (tail < most && olds[olds.length - 1 - tail].key === keys[keys.length - 1 - tail]) tail++;
    const changed = tokens.slice(head, tokens.length - tail).map((token, offset) => {
      const index = head + offset;
      const node = new BlockBuilder(this.#formulas, { live: index >= count, say: this.#say }).build(token);
      return { source: sources[index], key: keys[index], node };
    });
    const placed = this.#place(olds.slice(head, olds.length - tail), changed, olds.slice(olds.length - tail));
    return [...olds.slice(0, head), ...placed, ...olds.slice(olds.length - tail)];
  }

  /**
   * @param {Block[]} olds In the document.
   * @param {Block[]} wanted Not yet.
   * @param {Block[]} [following] What comes behind, as far as it is known.
   * @returns {Block[]} `wanted`, with the nodes that are now in the document.
   */
  #place(olds, wanted, following = []) {
    const oldNodes = nodesOf(olds);
    const behind = oldNodes.at(-1)?.nextSibling ?? nodesOf(following)[0] ?? null;
    let used = 0;
    const placed = wanted.map((block) => {
      if (!block.node) return block;
      const old = oldNodes[used++];
      if (!old) return { ...block, node: this.#root.insertBefore(block.node, behind) };
      return { ...block, node: /** @type {HTMLElement} */ (morph(old, block.node)) };
    });
    for (const node of oldNodes.slice(used)) node.remove();
    return placed;
  }

  /** @param {string} source @returns {Block} */
  #sourceBlock(source) {
    return { source, key: `source ${source.length}`, node: sourceElement(source) };
  }
}

/** @param {Block[]} blocks */
function nodesOf(blocks) {
  return blocks.flatMap(({ node }) => (node ? [node] : []));
}

/** @param {string} text marked reads a lone carriage return as a line break, which would move what comes behind. */
function withoutReturns(text) {
  return text.includes("\r") ? text.replaceAll("\r", "") : text;
}

/** @param {string} label In the form marked looks it up by. */
function normalise(label) {
  return label.replace(/\s+/g, " ").replace(/(?<=\[) | (?=\])/g, "").toLowerCase().toUpperCase().toLowerCase();
}

/** @param {string} source @param {string[]} labels */
function mentions(source, labels) {
  if (!source.includes("[")) return false;
  const normalised = normalise(source);
  return labels.some((label) => normalised.includes(`[${label}]`));
}
