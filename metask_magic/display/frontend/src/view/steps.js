/** What was done on the way to a reply: a section for each step, closed until someone opens it. */
import { element } from "../markdown/elements.js";
import { cleanName, cleanNote } from "./names.js";

/** @typedef {import("../session/protocol.js").Step} Step */

export class StepList {
  #node = element("div", [], "metask-steps");

  get node() {
    return this.#node;
  }

  /** @param {Step[]} steps All so far. What is shown stays as it is, opened or closed. */
  update(steps) {
    if (!steps.length) return;
    this.#node.role = "group";
    this.#node.ariaLabel = "Steps";
    this.#node.append(...steps.slice(this.#node.childElementCount).map(section));
  }
}

/** @param {Step} step */
function section({ title, body, failed }) {
  const result = cleanNote(body);
  const summary = element("summary", [
    ...(failed ? [element("span", ["✗ failed"], "metask-failed"), " "] : []),
    element("code", [cleanName(title)]),
    element("span", [` → ${cleanName(result) || "nothing"}`], "metask-result"),
  ]);
  return element("details", [summary, element("pre", [result])], "metask-step");
}
