/** The text of a reply in the form its format asks for. */
import { element } from "../markdown/elements.js";
import { MarkdownRenderer } from "../markdown/renderer.js";

/** So long that no code ends it. */
const FENCE = "`".repeat(40);

/** The fence some models put around what should stand alone. */
const OPENING = /^\s*(?:`{3,}|~{3,}).*\n?/;
const CLOSING = /\n(?:`{3,}|~{3,})\s*$/;

/** @typedef {Pick<MarkdownRenderer, "write" | "finish">} Renderer */

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

/** @param {HTMLElement} root @param {string} format @returns {Renderer} */
export function createRenderer(root, format) {
  root.replaceChildren();
  if (format === "text" || format === "math") return plainRenderer(root);
  const markdown = new MarkdownRenderer(root);
  if (format !== "json" && format !== "html") return markdown;
  /** @param {string} text */
  const fenced = (text) => text && `${FENCE}${format}\n${text.replace(OPENING, "").replace(CLOSING, "")}`;
  return { write: (text) => markdown.write(fenced(text)), finish: (text) => markdown.finish(fenced(text)) };
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
