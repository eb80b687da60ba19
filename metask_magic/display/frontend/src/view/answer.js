/** The text of a reply in the form its format asks for. */
import { element } from "../markdown/elements.js";
import { MarkdownRenderer } from "../markdown/renderer.js";
import { Formulas } from "../markdown/typeset.js";

/** So long that no code ends it. */
const FENCE = "`".repeat(40);

/** The fence some models put around what should stand alone. */
const OPENING = /^\s*(?:`{3,}|~{3,}).*\n?/;
const CLOSING = /\n(?:`{3,}|~{3,})\s*$/;

/** @typedef {Pick<MarkdownRenderer, "write" | "finish">} Renderer */
/** @typedef {import("../markdown/typeset.js").Typeset} Typeset */
/** @typedef {import("../session/say.js").Say} Say */

/**
 * Where text goes. In Jupyter's own pages their classes set the type, as they will for the record; elsewhere they may
 * come with colours of a light page.
 *
 * @param {string} className
 */
export function textElement(className) {
  const isOfJupyter = "jpThemeLight" in document.body.dataset;
  return element("div", [], isOfJupyter ? `${className} jp-RenderedHTMLCommon jp-RenderedMarkdown` : className);
}

/**
 * @param {HTMLElement} root
 * @param {string} format
 * @param {Typeset | null} typeset
 * @param {Say} [say]
 * @returns {Renderer}
 */
export function createRenderer(root, format, typeset, say) {
  root.replaceChildren();
  if (format === "text" || format === "math") return plainRenderer(root);
  const markdown = markdownRenderer(root, typeset, say);
  if (format !== "json" && format !== "html") return markdown;
  /** @param {string} text */
  const fenced = (text) => text && `${FENCE}${format}\n${text.replace(OPENING, "").replace(CLOSING, "")}`;
  return { write: (text) => markdown.write(fenced(text)), finish: (text) => markdown.finish(fenced(text)) };
}

/** @param {HTMLElement} root @param {Typeset | null} typeset @param {Say} [say] @returns {Renderer} */
export function markdownRenderer(root, typeset, say) {
  const markdown = new MarkdownRenderer(root, { say });
  if (!typeset) return markdown;
  const formulas = new Formulas(typeset);
  /** @param {"write" | "finish"} way */
  const set = (way) => (/** @type {string} */ text) => {
    markdown[way](text);
    formulas.set(root);
  };
  return { write: set("write"), finish: set("finish") };
}

/** @param {HTMLElement} root @returns {Renderer} */
function plainRenderer(root) {
  const node = document.createTextNode("");
  const block = element("pre", [node], "metask-plain");
  /** @param {string} text */
  const write = (text) => {
    node.data = text;
    if (text) root.append(block);
  };
  return { write, finish: write };
}
