/**
 * Stopping one reply while the cell runs: by message where a hello was answered, else by interrupting the kernel.
 * Nothing is sent once the reply has ended: an interrupt would hit the next cell.
 */
import { isFinal } from "./protocol.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./protocol.js").ToKernel} ToKernel */

/** A single message may still be routed to the busy main shell: it is repeated, then the kernel interrupted. */
const REPEAT_AFTER = 400;
const FORCE_AFTER = 1500;

/** When nothing has helped, the button can be pressed again. */
const GIVE_UP_AFTER = 5000;

export class StopControl {
  #session;
  #index;
  #send;
  #interrupt;
  #onChange;
  #pending = false;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {number} options.index The column.
   * @param {(message: ToKernel) => void} options.send
   * @param {(() => Promise<boolean>) | null} options.interrupt
   * @param {() => void} options.onChange
   */
  constructor({ session, index, send, interrupt, onChange }) {
    this.#session = session;
    this.#index = index;
    this.#send = send;
    this.#interrupt = interrupt;
    this.#onChange = onChange;
  }

  get #running() {
    return !isFinal(this.#session.columns[this.#index].status);
  }

  /** Can the reply be stopped from here? */
  get available() {
    return this.#running && !this.#session.lost && (this.#session.acknowledged || this.#interrupt !== null);
  }

  /** It was asked for and has not happened yet. */
  get pending() {
    return this.#pending && this.#running;
  }

  /** An interrupt ends the replies of all models of the cell. */
  get stopsAll() {
    return !this.#session.acknowledged && this.#session.columns.length > 1;
  }

  press() {
    if (!this.available || this.pending) return;
    this.#pending = true;
    if (this.#session.acknowledged) this.#stopByMessage();
    else this.#stopByInterrupt();
    this.#later(GIVE_UP_AFTER, () => this.#giveUp());
    this.#onChange();
  }

  dispose() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }

  #stopByMessage() {
    const ask = () => this.#send({ type: "stop", column: this.#index });
    ask();
    this.#later(REPEAT_AFTER, ask);
    this.#later(FORCE_AFTER, () => {
      const others = this.#session.columns.filter((column) => !isFinal(column.status)).length > 1;
      if (!others) this.#interrupt?.();
    });
  }

  #stopByInterrupt() {
    this.#interrupt?.().then((done) => {
      if (!done) this.#giveUp();
    });
  }

  #giveUp() {
    this.#pending = false;
    this.dispose();
    this.#onChange();
  }

  /** @param {number} delay @param {() => void} action Not taken when the reply has ended meanwhile. */
  #later(delay, action) {
    this.#timers.push(
      setTimeout(() => {
        if (this.#running) action();
      }, delay),
    );
  }
}
