/**
 * Markdown source → tokens. marked (the parser family JupyterLab uses) only lexes here; its HTML renderer is
 * never called. What is added to it are bounds: how deep blocks may nest, and how long lexing may take.
 */
import { Lexer, Tokenizer } from "marked";

/** @typedef {import("marked").Token} Token */
/** @typedef {import("marked").Links} Links Link reference definitions, by their normalised label. */

/** Deeper nesting is read as plain text. Nobody writes it, and marked would overflow the stack. */
const MAX_DEPTH = 24;

/** Thrown when lexing takes longer than allowed: hostile text can make it quadratic. */
export class LexingTooSlow extends Error {}

class BoundedTokenizer extends Tokenizer {
  #depth = 0;
  #steps = 0;
  #deadline;

  /** @param {number} deadline On the clock of `performance.now()`. */
  constructor(deadline) {
    super();
    this.#deadline = deadline;
  }

  /**
   * @template Result
   * @param {() => Result} tokenize
   * @returns {Result | undefined}
   */
  #nested(tokenize) {
    if (this.#depth >= MAX_DEPTH) return undefined;
    this.#depth++;
    try {
      return tokenize();
    } finally {
      this.#depth--;
    }
  }

  #checkTime() {
    if (++this.#steps % 64 === 0 && performance.now() > this.#deadline) throw new LexingTooSlow();
  }

  // Raw HTML is never markup here: it stays text, as in the record (markdown-it with `html=False`).
  /** @override */
  html() {
    return undefined;
  }

  /** @override */
  tag() {
    return undefined;
  }

  // The first rule tried for each block, and the first for each run of inline text.
  /** @override @param {string} source */
  space(source) {
    this.#checkTime();
    return super.space(source);
  }

  /** @override @param {string} source */
  escape(source) {
    this.#checkTime();
    return super.escape(source);
  }

  /** @override @param {string} source */
  blockquote(source) {
    return this.#nested(() => super.blockquote(source));
  }

  /** @override @param {string} source */
  list(source) {
    return this.#nested(() => super.list(source));
  }

  /** @override @param {string} source @param {string} masked @param {string} [before] */
  emStrong(source, masked, before) {
    return this.#nested(() => super.emStrong(source, masked, before));
  }

  /** @override @param {string} source @param {string} masked @param {string} [before] */
  del(source, masked, before) {
    return this.#nested(() => super.del(source, masked, before));
  }

  /** @override @param {string} source */
  link(source) {
    return this.#nested(() => super.link(source));
  }

  /** @override @param {string} source @param {Links} links */
  reflink(source, links) {
    return this.#nested(() => super.reflink(source, links));
  }
}

/**
 * @param {string} source
 * @param {{definitions?: Links, milliseconds?: number}} [options]
 *   `definitions`: references that are defined elsewhere in the document.
 * @returns {Token[]} The blocks. Their `raw` texts joined are `source`.
 */
export function lex(source, { definitions = {}, milliseconds = Infinity } = {}) {
  const tokenizer = new BoundedTokenizer(performance.now() + milliseconds);
  const lexer = new Lexer({ gfm: true, tokenizer });
  Object.assign(lexer.tokens.links, definitions);
  return lexer.lex(source);
}

/**
 * The link reference definitions among `tokens`, nested ones included; the first of a label wins.
 *
 * @param {Token[]} tokens
 * @param {Links} [found]
 * @returns {Links}
 */
export function definitionsIn(tokens, found = Object.create(null)) {
  for (const token of tokens) {
    if (token.type === "def") {
      found[token.tag] ??= { href: token.href, title: token.title };
    } else if (token.type === "blockquote") {
      definitionsIn(token.tokens ?? [], found);
    } else if (token.type === "list") {
      for (const item of token.items) definitionsIn(item.tokens, found);
    }
  }
  return found;
}
