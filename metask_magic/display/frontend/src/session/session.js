/**
 * What the page knows of one cell's replies: one buffer per model, shared by all views of the cell. Text only ever
 * grows, so of two versions one is the beginning of the other and the longer one is newer.
 */
import { isFinal } from "./protocol.js";
import { speaker } from "./say.js";

/** @typedef {import("./protocol.js").Column} Column */
/** @typedef {import("./protocol.js").Delta} Delta */
/** @typedef {import("./protocol.js").FromKernel} FromKernel */

/** @returns {Column} */
function emptyColumn() {
  return { text: "", start: 0, reasoning: "", steps: [], status: "waiting", note: "", detail: "" };
}

export class Session {
  /** @type {Column[]} */
  columns;
  /** A hello was answered while the cell runs: messages to the kernel arrive. */
  acknowledged = false;
  /** Text is missing, and a keyframe with it has not come yet. */
  behind = false;
  /** The kernel has gone (restarted, or out of reach), and nothing has come from it since. */
  lost = false;
  /** @type {import("./outputs.js").OutputKeeper | undefined} Where it is shown. */
  output;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {number} count How many models. @param {Record<string, string>} [words] The kernel's translations. */
  constructor(count, words) {
    this.columns = Array.from({ length: count }, emptyColumn);
    this.say = speaker(words);
  }

  get running() {
    return this.columns.some((column) => !isFinal(column.status));
  }

  /**
   * @param {() => void} listener Called after every change.
   * @returns {() => void} Ends the subscription.
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {FromKernel} message */
  receive(message) {
    this.lost = false;
    if (message.type === "delta") this.#applyDelta(message);
    else if (message.type === "keyframe") this.adopt(message.state);
    else if (message.type === "ack") this.acknowledged = true;
    this.#notify();
  }

  /** Note that the kernel has gone: what came of a reply is all that will. */
  lose() {
    this.lost = true;
    this.#notify();
  }

  /** @param {Column[] | undefined} snapshot From a keyframe, or the state a late view finds. */
  adopt(snapshot) {
    (snapshot ?? []).forEach((theirs, index) => {
      const mine = this.columns[index];
      if (!mine) return;
      const grown = /** @type {const} */ (["text", "reasoning", "steps"]);
      const isOlder = grown.some((name) => theirs[name].length < mine[name].length);
      for (const name of grown) {
        if (theirs[name].length > mine[name].length) /** @type {any} */ (mine)[name] = theirs[name];
      }
      mine.start = Math.max(mine.start, theirs.start);
      if (!isOlder && (isFinal(theirs.status) || !isFinal(mine.status))) {
        mine.status = theirs.status;
        mine.note = theirs.note;
        mine.detail = theirs.detail;
      }
    });
    this.behind = false;
    this.#notify();
  }

  /** @param {Delta} delta */
  #applyDelta({ text = [], reasoning = [], steps = [], status = [] }) {
    for (const [index, offset, piece] of text) this.#append(index, "text", offset, piece);
    for (const [index, offset, piece] of reasoning) this.#append(index, "reasoning", offset, piece);
    for (const [index, place, step] of steps) {
      const known = this.columns[index]?.steps;
      if (place > known?.length) this.behind = true;
      else if (place === known?.length) this.columns[index].steps = [...known, step];
    }
    for (const [index, about] of status) {
      const column = this.columns[index];
      if (column) Object.assign(column, about);
    }
  }

  /** @param {number} index @param {"text" | "reasoning"} field @param {number} offset @param {string} piece */
  #append(index, field, offset, piece) {
    const column = this.columns[index];
    if (!column) return;
    const known = column[field].length;
    if (offset > known) this.behind = true;
    else column[field] += piece.slice(known - offset); // what came twice is skipped
  }

  #notify() {
    for (const listener of this.#listeners) listener();
  }
}

// Every widget loads its own copy of this module, so what views share hangs on the page.
const KEY = Symbol.for("metask_magic.sessions");
/** @type {Map<string, {session: Session, users: number}>} */
const sessions = (/** @type {any} */ (globalThis)[KEY] ??= new Map());

/**
 * @param {string} id
 * @param {number} count How many models.
 * @param {Record<string, string>} [words] The kernel's translations.
 * @returns {{session: Session, release: () => void}} The session of that id; forgotten when all have released it.
 */
export function acquireSession(id, count, words) {
  const entry = sessions.get(id) ?? { session: new Session(count, words), users: 0 };
  sessions.set(id, entry);
  entry.users++;
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    if (--entry.users === 0) sessions.delete(id);
  };
  return { session: entry.session, release };
}
