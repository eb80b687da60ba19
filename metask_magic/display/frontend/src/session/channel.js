/** Keeps a session in step with the kernel through the widget's model. */
import { fillNextCell, notebookOf } from "./cells.js";
import { OutputKeeper } from "./outputs.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./protocol.js").FromKernel} FromKernel */
/** @typedef {import("./protocol.js").ToKernel} ToKernel */
/**
 * @typedef {object} Model The part of anywidget's model that is used.
 * @property {(name: string) => any} get
 * @property {(message: ToKernel) => void} send
 * @property {(event: string, handler: (message: any) => void) => void} on
 * @property {(event: string, handler: (message: any) => void) => void} off
 * @property {any} [widget_manager]
 */

/** The first message behind the comm's opening may wait in the busy main shell, so hello is said again. */
const HELLO_AT = [0, 120, 300, 700, 1500];

/** A keyframe that was asked for and does not come is asked for again, so often. */
const RESYNC_AFTER = 1000;
const MAX_RESYNCS = 5;

/**
 * @param {Model} model
 * @param {Session} session
 * @returns {() => void} Disconnects.
 */
export function connect(model, session) {
  const notebook = notebookOf(model);
  const { running } = session; // a reply that ends before the kernel has answered is no reason to fall silent
  /** @param {ToKernel} message */
  const send = (message) => {
    try {
      model.send(message);
    } catch {} // a kernel that restarts just now can be told nothing
  };
  const timers = HELLO_AT.map((delay) =>
    setTimeout(() => {
      if (!session.acknowledged && running) send({ type: "hello", cells: Boolean(notebook) });
    }, delay),
  );
  const output = (session.output ??= new OutputKeeper(model, session, send));
  const unsubscribe = session.subscribe(() => output.update());
  const resync = new Resync(() => send({ type: "resync" }));
  /** @param {FromKernel} message */
  const onMessage = (message) => {
    session.receive(message);
    if (message.type === "next_cell" && notebook) fillNextCell(notebook, message);
    if (message.type === "record") output.keep(message);
    if (session.behind) resync.ask(() => session.behind);
    else resync.done();
  };
  // The widget manager's word for a kernel that was restarted or is out of reach.
  const onGone = () => session.lose();
  model.on("msg:custom", onMessage);
  model.on("comm_live_update", onGone);
  return () => {
    model.off("comm_live_update", onGone);
    timers.forEach(clearTimeout);
    unsubscribe();
    output.dispose();
    resync.done();
    model.off("msg:custom", onMessage);
  };
}

/** Asks for a keyframe, and again while none has come. */
class Resync {
  #send;
  #asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {() => boolean} isNeeded */
  ask(isNeeded) {
    if (this.#timer !== undefined || this.#asked >= MAX_RESYNCS) return;
    this.#asked++;
    this.#send();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (isNeeded()) this.ask(isNeeded);
    }, RESYNC_AFTER);
  }

  done() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asked = 0;
  }
}
