/** The kernel's end, for tests of the page's. */

export function column(about) {
  return { text: "", reasoning: "", status: "waiting", note: "", detail: "", ...about };
}

/** anywidget's model, as far as the front end uses it. */
export class FakeModel {
  sent = [];
  #handlers = new Set();
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

  on(_event, handler) {
    this.#handlers.add(handler);
  }

  off(_event, handler) {
    this.#handlers.delete(handler);
  }

  /** A message from the kernel. */
  receive(message) {
    for (const handler of this.#handlers) handler(message);
  }
}
