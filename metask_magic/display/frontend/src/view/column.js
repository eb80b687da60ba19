/** One model's reply on the screen: reasoning, text, note, and a bar; Stop and Copy at a fixed place. */
import { element } from "../markdown/elements.js";
import { answerOf, isFinal } from "../session/protocol.js";
import { StopControl } from "../session/stop.js";
import { announce, prepareAnnouncer } from "./announcer.js";
import { createRenderer, textElement } from "./answer.js";
import { createButton } from "./button.js";
import { copyText } from "./clipboard.js";
import { cleanName, cleanNote } from "./names.js";
import { ReasoningSection } from "./reasoning.js";
import { StepList } from "./steps.js";
import { spoken, stateWord } from "./words.js";

/** @typedef {import("../session/session.js").Session} Session */
/** @typedef {import("../session/protocol.js").Column} Column */
/** @typedef {import("../session/protocol.js").Status} Status */
/** @typedef {import("../session/protocol.js").ToKernel} ToKernel */

const COPIED_FOR = 1200;

export class ColumnView {
  #session;
  #index;
  #title;
  #body = textElement("metask-body");
  #format;
  #renderer;
  #steps;
  #reasoning;
  #typeset;
  #note = element("div", [], "metask-note");
  #state = element("span", [], "metask-state");
  #detail = element("span", [], "metask-detail");
  #copy;
  #stop;
  #control;
  #node;
  /** @type {Status} */
  #shownStatus = "waiting";
  #shownText = "";
  #shownStart = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #copied;

  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {number} options.index
   * @param {string} options.title The model's name.
   * @param {string} options.format What the text is.
   * @param {boolean} options.alone There are no other columns.
   * @param {(message: ToKernel) => void} options.send
   * @param {(() => Promise<boolean>) | null} options.interrupt
   * @param {import("./answer.js").Typeset | null} options.typeset
   */
  constructor({ session, index, title, format, alone, send, interrupt, typeset }) {
    const { say } = session;
    this.#session = session;
    this.#index = index;
    this.#title = cleanName(title) || say("model");
    this.#format = format;
    this.#typeset = typeset;
    this.#copy = createButton("metask-copy", say("Copy"), () => this.#copyText());
    this.#stop = createButton("metask-stop", say("Stop"), () => this.#control.press());
    this.#steps = new StepList(say);
    this.#reasoning = new ReasoningSection(typeset, say);
    this.#renderer = createRenderer(this.#body, format, typeset, say);
    this.#control = new StopControl({ session, index, send, interrupt, onChange: () => this.#updateStop() });
    this.#node = this.#build(alone);
  }

  get node() {
    return this.#node;
  }

  /** Show what is new. */
  update() {
    const column = this.#session.columns[this.#index];
    this.#reasoning.update(column);
    this.#steps.update(column.steps);
    this.#updateText(column);
    this.#placeReasoning(column);
    const note = cleanNote(column.note);
    if (note !== this.#note.textContent) this.#note.textContent = note;
    if (column.detail !== this.#detail.textContent) this.#detail.textContent = column.detail;
    const { lost, say } = this.#session;
    this.#updateState(stateWord(column, lost, say), note);
    this.#updateStop();
    this.#shownStatus = column.status;
    this.#node.dataset.status = lost && !isFinal(column.status) ? "incomplete" : column.status;
    this.#node.classList.toggle("metask-ended", lost || isFinal(column.status));
  }

  dispose() {
    this.#control.dispose();
    clearTimeout(this.#copied);
  }

  /** @param {boolean} alone */
  #build(alone) {
    this.#body.setAttribute("aria-live", "off"); // nobody wants every token read out
    prepareAnnouncer();
    const { say } = this.#session;
    const named = { model: this.#title };
    this.#copy.setAttribute("aria-label", say("Copy the reply of {model} as Markdown", named));
    this.#state.setAttribute("aria-hidden", "true"); // the announcer says it
    const title = element("bdi", [this.#title], "metask-title");
    title.title = this.#title; // it may be too long to be shown whole
    const tools = element("div", [this.#stop, this.#copy], "metask-tools");
    const dot = element("span", [], "metask-dot");
    dot.setAttribute("aria-hidden", "true");
    const about = [dot, ...(alone ? [title] : []), this.#state, this.#detail];
    const node = element("section", [
      // Alone, the text stands exactly where the record will: nothing above it, the buttons float.
      alone ? element("div", [tools], "metask-overlay") : element("header", [title, tools], "metask-header"),
      this.#reasoning.node,
      this.#steps.node,
      this.#body,
      this.#note,
      element("footer", about, "metask-bar"),
    ], "metask-column");
    node.setAttribute("aria-label", say("Reply of {model}", named));
    return node;
  }

  /** @param {Column} column */
  #updateText(column) {
    const { start, status } = column;
    const text = answerOf(column);
    const ends = isFinal(status) && !isFinal(this.#shownStatus);
    if (start !== this.#shownStart) {
      this.#shownText = "";
      this.#renderer = createRenderer(this.#body, this.#format, this.#typeset, this.#session.say);
      this.#shownStart = start;
    }
    if (text === this.#shownText && !ends) return;
    if (isFinal(status)) this.#renderer.finish(text);
    else this.#renderer.write(text);
    this.#shownText = text;
  }

  /**
   * Once the answer begins, or it ends without one, it stands with its note where the record will; the reasoning goes
   * below them.
   *
   * @param {Column} column
   */
  #placeReasoning(column) {
    const { node } = this.#reasoning;
    const isAnswered = answerOf(column) || isFinal(column.status);
    if (isAnswered && this.#note.nextSibling !== node) this.#note.after(node);
  }

  /** @param {string} word @param {string} note */
  #updateState(word, note) {
    if (word === this.#state.textContent) return;
    this.#state.textContent = word;
    const { say } = this.#session;
    announce(element("bdi", [this.#title]), say(": {state}", { state: spoken(word, note, say) }));
  }

  #updateStop() {
    const { available, pending, stopsAll } = this.#control;
    const hadFocus = document.activeElement === this.#stop;
    const { say } = this.#session;
    const label = pending ? say("Stopping…") : stopsAll ? say("Stop all") : say("Stop");
    if (this.#stop.textContent !== label) this.#stop.textContent = label;
    const whose = stopsAll
      ? say("Stop all: the replies of all models")
      : say("Stop the reply of {model}", { model: this.#title });
    if (this.#stop.getAttribute("aria-label") !== whose) this.#stop.setAttribute("aria-label", whose);
    this.#stop.setAttribute("aria-disabled", String(pending));
    this.#stop.hidden = !available;
    if (hadFocus && !available) this.#copy.focus();
  }

  async #copyText() {
    const done = await copyText(answerOf(this.#session.columns[this.#index]));
    const { say } = this.#session;
    this.#copy.textContent = done ? say("Copied") : say("Not copied");
    announce(this.#copy.textContent);
    clearTimeout(this.#copied);
    this.#copied = setTimeout(() => (this.#copy.textContent = say("Copy")), COPIED_FOR);
  }
}
