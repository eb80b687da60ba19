/** The kernel's end, for tests of the page's. */

export function column(about) {
  return { text: "", start: 0, reasoning: "", steps: [], status: "waiting", note: "", detail: "", ...about };
}

/** anywidget's model, as far as the front end uses it. */
export class FakeModel {
  sent = [];
  #handlers = new Map();
  #traits;

  constructor(traits = {}) {
    this.#traits = traits;
  }

  get(name) {
    return this.#traits[name];
  }

  send(message) {
    this.sent.push(message);
  }

  on(event, handler) {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
  }

  off(event, handler) {
    this.#handlers.set(event, (this.#handlers.get(event) ?? []).filter((known) => known !== handler));
  }

  trigger(event, payload) {
    for (const handler of this.#handlers.get(event) ?? []) handler(payload);
  }

  /** A message from the kernel. */
  receive(message) {
    this.trigger("msg:custom", message);
  }

  /** The kernel was restarted. */
  lose() {
    this.trigger("comm_live_update");
  }
}
