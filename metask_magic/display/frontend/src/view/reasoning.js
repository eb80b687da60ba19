/** What a model thinks before it answers: a section that is open while it grows and closes when it is done. */
import { element } from "../markdown/elements.js";
import { answerOf, isFinal } from "../session/protocol.js";
import { markdownRenderer, textElement } from "./answer.js";

/** @typedef {import("../session/protocol.js").Column} Column */

export class ReasoningSection {
  #body = textElement("metask-reasoning-body");
  #details = /** @type {HTMLDetailsElement} */ (document.createElement("details"));
  #renderer;
  #shown = "";
  #finished = false;
  #wasTouched = false;

  /** @param {import("./answer.js").Typeset | null} typeset @param {import("../session/say.js").Say} say */
  constructor(typeset, say) {
    this.#renderer = markdownRenderer(this.#body, typeset, say);
    this.#details.className = "metask-reasoning";
    this.#details.hidden = true;
    this.#details.open = true;
    const summary = element("summary", [say("Reasoning")]);
    // Who opens or closes it has decided; it is left as it is from then on.
    summary.addEventListener("click", () => (this.#wasTouched = true));
    this.#details.append(summary, this.#body);
    this.#body.setAttribute("aria-live", "off");
  }

  get node() {
    return this.#details;
  }

  /** @param {Column} column */
  update(column) {
    const { reasoning } = column;
    if (!reasoning) return;
    const finished = answerOf(column) !== "" || isFinal(column.status);
    if (reasoning === this.#shown && finished === this.#finished) return;
    this.#details.hidden = false;
    const atEnd = this.#body.scrollHeight - this.#body.scrollTop - this.#body.clientHeight < 24;
    if (finished) this.#renderer.finish(reasoning);
    else this.#renderer.write(reasoning);
    if (atEnd && !finished) this.#body.scrollTop = this.#body.scrollHeight;
    if (finished && !this.#finished && !this.#wasTouched) this.#details.open = false;
    this.#shown = reasoning;
    this.#finished = finished;
    this.#details.classList.toggle("metask-live", !finished);
  }
}
