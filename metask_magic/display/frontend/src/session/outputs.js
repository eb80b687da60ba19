/**
 * The output that a view stands in, in the notebook of JupyterLab or Notebook: text is saved of it and no widget, which
 * nobody could open later; a page that was loaded meanwhile gets the view back; and the record, if it has missed it.
 */
import { answerOf, isFinal } from "./protocol.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./protocol.js").ToKernel} ToKernel */
/** @typedef {import("./protocol.js").KeptRecord} KeptRecord */
/**
 * @typedef {object} Output As nbformat has it.
 * @property {Record<string, any>} [data]
 * @property {Record<string, any>} [metadata]
 */
/**
 * @typedef {object} Outputs The part of JupyterLab's model that is used.
 * @property {number} length
 * @property {(at: number) => {toJSON: () => Output}} get
 * @property {(at: number, output: object) => void} set
 * @property {(output: object) => void} add
 */
/** @typedef {{id: string, outputs?: Outputs, trusted: boolean}} Cell */
/**
 * @typedef {object} Notebook
 * @property {Iterable<Cell>} cells
 * @property {() => {cells: {outputs?: Output[]}[]}} toJSON
 * @property {boolean} isDisposed
 * @property {{awareness?: {clientID: number, getStates: () => Map<number, unknown>}}} [sharedModel]
 */

const WIDGET = "application/vnd.jupyter.widget-view+json";

/**
 * The record takes the view's place by itself, in a page that has seen the cell begin, and goes from there to those who
 * share the notebook. Were it put there by two, it would stand there twice: who shares waits longer, one after the other.
 */
const RECORD_AFTER = 1000;
const SHARED_RECORD_AFTER = 3000;

/** @param {Notebook} notebook @returns {number} */
function patience({ sharedModel }) {
  const awareness = sharedModel?.awareness;
  const people = [...(awareness?.getStates().keys() ?? [])];
  const before = people.filter((id) => id < (awareness?.clientID ?? 0)).length;
  return people.length < 2 ? RECORD_AFTER : SHARED_RECORD_AFTER * (1 + before);
}

/** So often it is looked for where nobody sees it. */
const MAX_LOOKS = 20;

/** What may be a link, an image or HTML is for the record, which is cleaned; until then it is kept as it was written. */
const MORE_THAN_TEXT = /<|\][([:]/;

/** @param {Output} output @param {string} id */
function holds({ data, metadata }, id) {
  return data?.[WIDGET]?.model_id === id || metadata?.metask?.view === id;
}

/** @param {Session} session @param {string[]} titles @returns {string} */
function textOf({ columns, lost, say }, titles) {
  const unfinished = lost ? say("Broken off: the kernel has gone.") : say("Saved before its end.");
  const texts = columns.map((column, index) => {
    const ended = isFinal(column.status) ? column.note : unfinished;
    const parts = [answerOf(column), ended && ended.replace(/^/gm, "> ")];
    return [titles.length > 1 && `### ${titles[index]}`, ...parts].filter(Boolean).join("\n\n");
  });
  return texts.join("\n\n");
}

/** @typedef {Map<string, () => Output>} Views What is saved of each view in a notebook. */

// Each widget has its own copy of this module: what they share hangs on the notebook.
const KEY = Symbol.for("metask_magic.views");

/** @param {any} notebook @returns {Views} */
function viewsOf(notebook) {
  if (!notebook[KEY]) {
    /** @type {Views} */
    const views = (notebook[KEY] = new Map());
    const whole = notebook.toJSON.bind(notebook);
    notebook.toJSON = () => {
      const saved = whole();
      for (const cell of saved.cells) cell.outputs &&= cell.outputs.map((/** @type {Output} */ output) => textFor(output, views));
      return saved;
    };
  }
  return notebook[KEY];
}

/** @param {Output} output @param {Views} views @returns {Output} */
function textFor(output, views) {
  return { ...output, ...views.get(output.data?.[WIDGET]?.model_id)?.() };
}

export class OutputKeeper {
  #id;
  #session;
  #send;
  /** @type {Notebook | null} */
  #notebook;
  #cell;
  #looks = 0;
  #asked = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {{get: (name: string) => any, widget_manager?: any}} model
   * @param {Session} session
   * @param {(message: ToKernel) => void} send
   */
  constructor(model, session, send) {
    this.#id = model.get("session");
    this.#cell = model.get("cell");
    this.#session = session;
    this.#send = send;
    const notebook = model.widget_manager?.context?.model;
    this.#notebook = notebook?.cells?.[Symbol.iterator] && notebook.toJSON ? notebook : null; // elsewhere it is a stand-in
    if (!this.#notebook) return;
    const titles = model.get("columns");
    const isMarkdown = model.get("format") === "markdown";
    viewsOf(notebook).set(this.#id, () => {
      const text = textOf(session, titles);
      const data = { "text/plain": text, ...(isMarkdown && !MORE_THAN_TEXT.test(text) && { "text/markdown": text }) };
      return { data, metadata: { metask: { view: this.#id } } };
    });
    const isLate = session.columns.some(({ status }) => status !== "waiting") || this.#place();
    if (isLate && session.running) this.#show();
    this.update();
  }

  /** A view stands in the page. */
  viewShown() {
    this.#looks = MAX_LOOKS;
  }

  /** After every change: look whether the view is shown, and once the reply has ended, whether its record has come. */
  update() {
    if (!this.#notebook || this.#timer) return;
    if (this.#session.running) {
      if (this.#looks++ < MAX_LOOKS) this.#trust();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#asked = Boolean(this.#place());
      if (this.#asked) this.#send({ type: "record" });
      else viewsOf(this.#notebook).delete(this.#id);
    }, patience(this.#notebook));
  }

  /** A view has gone. If its cell has, the reply is not wanted any more. */
  viewGone() {
    const notebook = this.#notebook;
    if (!notebook || !this.#cell) return;
    setTimeout(() => {
      const isThere = notebook.isDisposed || this.#cells.some(({ id }) => id === this.#cell);
      if (!isThere && this.#session.running) this.#send({ type: "stop", column: null });
    }, 0); // a cell that is moved goes and comes back
  }

  /** @param {KeptRecord} record Which goes to all pages, whichever has asked. */
  keep({ data, metadata, note }) {
    const place = this.#asked && this.#place();
    if (!place) return;
    place.outputs.set(place.at, { ...place.output, data, metadata });
    if (note) place.outputs.add({ output_type: "stream", name: "stderr", text: `${note}\n` });
  }

  dispose() {
    clearTimeout(this.#timer);
  }

  get #cells() {
    return [...(this.#notebook?.cells ?? [])];
  }

  /** @returns {{cell: Cell, outputs: Outputs, at: number, output: Output} | undefined} Of the view, or what was saved of it. */
  #place() {
    for (const cell of this.#cells) {
      const { outputs } = cell;
      for (let at = 0; outputs && at < outputs.length; at++) {
        const output = outputs.get(at).toJSON();
        if (holds(output, this.#id)) return { cell, outputs, at, output };
      }
    }
    return undefined;
  }

  /** In a cell that somebody else has run, in a shared notebook, JupyterLab shows no widget; nothing else is in it. */
  #trust() {
    const place = this.#place();
    if (place?.outputs.length === 1) place.cell.trusted = true;
  }

  /** Put the view where the text stands that was saved of it; into its cell where nothing was saved. */
  #show() {
    const place = this.#place();
    if (place?.output.data?.[WIDGET]) return;
    const data = { [WIDGET]: { version_major: 2, version_minor: 0, model_id: this.#id }, ...place?.output.data };
    const output = { output_type: "display_data", metadata: {}, ...place?.output, data };
    if (place) place.outputs.set(place.at, output);
    else this.#cells.find(({ id, outputs }) => id === this.#cell && outputs?.length === 0)?.outputs?.add(output);
  }
}
