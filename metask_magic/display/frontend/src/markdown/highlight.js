/** Code → highlighted DOM. highlight.js tokenizes; the nodes are made here, so no HTML is ever parsed. */
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const LANGUAGES = {
  bash, cpp, diff, dockerfile, go, ini, java, json, python, r, rust, sql, typescript, xml, yaml,
};

/** Longer code stays plain: what a grammar costs grows with it. */
const MAX_LENGTH = 20_000;

/** Code that is still being written is highlighted anew on every frame, so less of it. */
const MAX_LIVE_LENGTH = 4_000;

/** Builds nodes where highlight.js would build an HTML string (its `__emitter` option; lowlight does the same). */
class NodeEmitter {
  root = document.createDocumentFragment();
  /** @type {Node[]} */
  #open = [this.root];

  /** @param {Node} node */
  #append(node) {
    this.#open[this.#open.length - 1].appendChild(node);
  }

  /** @param {string} text */
  addText(text) {
    if (text) this.#append(document.createTextNode(text));
  }

  /** @param {string} scope For example `title.function`. */
  openNode(scope) {
    const span = document.createElement("span");
    const [first, ...rest] = scope.split(".");
    span.className = [`hljs-${first}`, ...rest.map((name) => `${name}_`)].join(" ");
    this.#append(span);
    this.#open.push(span);
  }

  closeNode() {
    if (this.#open.length > 1) this.#open.pop();
  }

  /** @param {string} scope */
  startScope(scope) {
    this.openNode(scope);
  }

  endScope() {
    this.closeNode();
  }

  /** @param {NodeEmitter} other A language within the language. */
  __addSublanguage(other) {
    this.#append(other.root);
  }

  finalize() {}

  toHTML() {
    return "";
  }
}

const highlighter = hljs.newInstance();
highlighter.configure({ __emitter: /** @type {any} */ (NodeEmitter) });
for (const [name, language] of Object.entries(LANGUAGES)) highlighter.registerLanguage(name, language);
highlighter.registerAliases(["c", "h"], { languageName: "cpp" });
// TypeScript's grammar reads JavaScript too, and has most of that grammar in it: the bundle need not have it twice.
highlighter.registerAliases(["javascript", "js", "jsx", "mjs", "cjs"], { languageName: "typescript" });
highlighter.registerAliases(["console", "shell"], { languageName: "bash" });
highlighter.registerAliases(["ipython", "ipython3", "python3"], { languageName: "python" });

/**
 * @param {string} code
 * @param {string} language As the fence names it.
 * @param {{live: boolean}} options `live`: the code is still being written.
 * @returns {Node} A fragment of spans, or plain text where there is nothing to highlight.
 */
export function highlight(code, language, { live }) {
  const limit = live ? MAX_LIVE_LENGTH : MAX_LENGTH;
  if (language && code.length <= limit && highlighter.getLanguage(language)) {
    const result = highlighter.highlight(code, { language, ignoreIllegals: true });
    if (!result.errorRaised) return /** @type {any} */ (result)._emitter.root;
  }
  return document.createTextNode(code);
}
