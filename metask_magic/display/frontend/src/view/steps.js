/** What was done on the way to a reply: a section for each step, closed until someone opens it. */
import { element } from "../markdown/elements.js";
import { cleanName, cleanNote } from "./names.js";

/** @typedef {import("../session/protocol.js").Step} Step */
/** @typedef {import("../session/say.js").Say} Say */

export class StepList {
  #node = element("div", [], "metask-steps");
  #say;

  /** @param {Say} say */
  constructor(say) {
    this.#say = say;
  }

  get node() {
    return this.#node;
  }

  /** @param {Step[]} steps All so far. What is shown stays as it is, opened or closed. */
  update(steps) {
    if (!steps.length) return;
    this.#node.role = "group";
    this.#node.ariaLabel = this.#say("Steps");
    this.#node.append(...steps.slice(this.#node.childElementCount).map((step) => section(step, this.#say)));
  }
}

/** @param {Step} step @param {Say} say */
function section({ title, body, failed }, say) {
  const result = cleanNote(body);
  const summary = element("summary", [
    ...(failed ? [element("span", [say("✗ failed")], "metask-failed"), " "] : []),
    element("code", [cleanName(title)]),
    element("span", [` → ${cleanName(result) || say("nothing")}`], "metask-result"),
  ]);
  return element("details", [summary, element("pre", [result])], "metask-step");
}
