/** Mathematics by the page's own typesetter, where it has one (JupyterLab, Notebook); else TeX stays as it was written. */

import { texOf } from "./elements.js";

/** @typedef {(node: HTMLElement) => unknown} Typeset Sets the TeX that stands in a node, now or soon. */

/** What does more than set a formula is for the record, where the page itself decides. */
const MORE_THAN_A_FORMULA = /\\(?:href|url|class|cssId|style|data|unicode|bbox|require|includegraphics|[a-z]*def|let|[a-z]*new[a-z]*)(?![a-z])/i;

const MAX_LENGTH = 2000;

/** @param {{widget_manager?: any}} model @returns {Typeset | null} */
export function typesetterOf(model) {
  const typesetter = model.widget_manager?.rendermime?.latexTypesetter;
  return typesetter ? (node) => typesetter.typeset(node) : null;
}

/** Sets each formula once; what is written anew on every frame gets a copy. */
export class Formulas {
  #typeset;
  /** @type {WeakSet<Node>} */
  #done = new WeakSet();
  /** @type {Map<string, Node[]>} */
  #known = new Map();

  /** @param {Typeset} typeset */
  constructor(typeset) {
    this.#typeset = typeset;
  }

  /** @param {HTMLElement} root */
  set(root) {
    for (const node of root.querySelectorAll(".metask-formula")) {
      const tex = texOf(node);
      if (tex !== undefined && !this.#done.has(node)) this.#set(/** @type {HTMLElement} */ (node), tex);
    }
  }

  /** @param {HTMLElement} node @param {string} tex */
  async #set(node, tex) {
    this.#done.add(node);
    if (tex.length > MAX_LENGTH || MORE_THAN_A_FORMULA.test(tex)) return;
    const known = this.#known.get(tex);
    if (known) {
      node.replaceChildren(...copies(known));
      return;
    }
    await this.#typeset(node);
    this.#known.set(tex, copies(node.childNodes));
  }
}

/** @param {Iterable<Node>} nodes */
function copies(nodes) {
  return [...nodes].map((node) => node.cloneNode(true));
}
