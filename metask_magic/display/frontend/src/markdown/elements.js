/**
 * Tokens → DOM, safe by construction: elements from the fixed set that stands here, text as text nodes, and the
 * few attributes set below. Nothing in a reply can load, run or point anywhere but to an http(s) or mailto link.
 */
import { decodeEntities } from "./entities.js";
import { highlight } from "./highlight.js";
import { safeAddress } from "./urls.js";

/** @typedef {import("marked").Token} Token */
/** @typedef {import("marked").Tokens.List} List */
/** @typedef {import("marked").Tokens.ListItem} ListItem */
/** @typedef {import("marked").Tokens.Table} Table */
/** @typedef {import("marked").Tokens.TableCell} TableCell */
/** @typedef {import("./math.js").FormulaStore} FormulaStore */

/**
 * @param {string} name
 * @param {(Node | string)[]} [children]
 * @param {string} [className]
 */
export function element(name, children = [], className = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** @type {WeakMap<Node, string>} */
const sources = new WeakMap();

/** @param {Node} node @returns {string | undefined} The source of a closed formula, whatever has been made of it. */
export function texOf(node) {
  return sources.get(node);
}

/** @param {string} source @param {boolean} isOpen It is still being written. */
function formula(source, isOpen) {
  const node = element("span", [source], "metask-formula");
  if (!isOpen) sources.set(node, source);
  return node;
}

/** @param {string} text Shown as it is, line by line. */
export function sourceElement(text) {
  return element("p", [text], "metask-source");
}

/** Builds the DOM of one block. */
export class BlockBuilder {
  #formulas;
  #live;
  #say;

  /**
   * @param {FormulaStore} formulas
   * @param {{live: boolean, say: import("../session/say.js").Say}} options `live`: the block may still grow.
   */
  constructor(formulas, { live, say }) {
    this.#formulas = formulas;
    this.#live = live;
    this.#say = say;
  }

  /**
   * @param {Token} token A top-level block.
   * @returns {HTMLElement | null} Null for what is not seen.
   */
  build(token) {
    const nodes = this.#block(token);
    if (nodes.length === 1 && nodes[0] instanceof HTMLElement) return nodes[0];
    return nodes.length ? element("p", nodes) : null;
  }

  /** @param {Token[] | undefined} tokens @returns {(Node | string)[]} */
  #blocks(tokens) {
    return (tokens ?? []).flatMap((token) => this.#block(token));
  }

  /** @param {Token} token @returns {(Node | string)[]} */
  #block(token) {
    switch (token.type) {
      case "space":
      case "def":
        return [];
      case "hr":
        return [element("hr")];
      case "heading":
        return [element(`h${Math.min(6, Math.max(1, token.depth))}`, this.#inlines(token.tokens))];
      case "paragraph":
        return [element("p", this.#inlines(token.tokens))];
      case "blockquote":
        return [element("blockquote", this.#blocks(token.tokens))];
      case "code":
        return [this.#code(token.text, token.lang)];
      case "list":
        return [this.#list(/** @type {List} */ (token))];
      case "table":
        return [this.#table(/** @type {Table} */ (token))];
      default: // the text and the checkbox of a list item
        return this.#inline(token);
    }
  }

  /** @param {string} text @param {string | undefined} info The fence's first line, as far as there is one. */
  #code(text, info = "") {
    const language = /^[\w+#.-]{1,24}/.exec(this.#formulas.restore(info))?.[0] ?? "";
    const code = highlight(this.#formulas.restore(text), language, { live: this.#live });
    return element("pre", [element("code", [code], language && `language-${language}`)]);
  }

  /** @param {List} list */
  #list(list) {
    const node = element(list.ordered ? "ol" : "ul", list.items.map((item) => this.#item(item)));
    const start = Number(list.start);
    if (list.ordered && start !== 1) node.setAttribute("start", String(start));
    return node;
  }

  /** @param {ListItem} item */
  #item(item) {
    return element("li", this.#blocks(item.tokens), item.task ? "metask-task" : "");
  }

  /** @param {Table} table */
  #table(table) {
    const head = element("thead", [this.#row(table.header, "th")]);
    const body = element("tbody", table.rows.map((cells) => this.#row(cells, "td")));
    return element("table", table.rows.length ? [head, body] : [head]);
  }

  /** @param {TableCell[]} cells @param {"th" | "td"} name */
  #row(cells, name) {
    return element("tr", cells.map((cell) => {
      const node = element(name, this.#inlines(cell.tokens));
      if (cell.align) node.style.textAlign = cell.align;
      return node;
    }));
  }

  /** @param {Token[] | undefined} tokens @returns {(Node | string)[]} */
  #inlines(tokens) {
    return (tokens ?? []).flatMap((token) => this.#inline(token));
  }

  /** @param {Token} token @returns {(Node | string)[]} */
  #inline(token) {
    switch (token.type) {
      case "strong":
      case "em":
      case "del":
        return [element(token.type, this.#inlines(token.tokens))];
      case "codespan":
        return [element("code", [this.#formulas.restore(token.text)])];
      case "br":
        return [element("br")];
      case "link":
        return [this.#link(token.href, token.title, this.#inlines(token.tokens))];
      case "image": // never loaded: an address alone can carry data out
        return [this.#link(token.href, token.title, [this.#plain(token.text) || this.#say("image")], "metask-image")];
      case "checkbox":
        return [checkbox(Boolean(token.checked), this.#say("Task")), " "];
      case "escape":
        return [token.text];
      case "text":
        return token.tokens ? this.#inlines(token.tokens) : this.#text(token.text);
      default: // nothing marked has today: shown as it was written
        return [this.#formulas.restore(token.raw)];
    }
  }

  /** @param {string} text Without formulas set apart. */
  #plain(text) {
    return this.#formulas.restore(decodeEntities(text));
  }

  /** @param {string} text @returns {(Node | string)[]} */
  #text(text) {
    return this.#formulas
      .split(decodeEntities(text))
      .map((part) => (part.isFormula ? formula(part.text, part.isOpen) : part.text));
  }

  /**
   * @param {string} href
   * @param {string | null | undefined} title
   * @param {(Node | string)[]} children
   * @param {string} [className]
   */
  #link(href, title, children, className = "") {
    const address = safeAddress(this.#plain(href));
    if (!address) return element("span", children, className);
    const link = element("a", children, className);
    link.setAttribute("href", address);
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
    // Where a link leads can be read before it is followed, whatever its text says.
    link.setAttribute("title", title ? `${this.#plain(title)} — ${address}` : address);
    return link;
  }
}

/** @param {boolean} checked @param {string} label */
function checkbox(checked, label) {
  const box = document.createElement("input");
  return Object.assign(box, { type: "checkbox", disabled: true, defaultChecked: checked, ariaLabel: label });
}
