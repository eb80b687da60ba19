/** A page with the widget on it, for tests: what a user and the kernel do, and what is sent. */
import { afterEach, beforeEach, mock } from "node:test";
import { nextFrame, place } from "./dom.js";
import { FakeModel, column } from "./kernel.js";

const { default: widget } = await import("../../metask_magic/display/frontend/src/widget.js");

let sessions = 0;
let cleanups = [];
/** What went to the server: [address, options]. */
export const fetches = [];

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  fetches.length = 0;
  globalThis.fetch = async (address, options) => {
    fetches.push([address, options]);
    return { ok: true };
  };
});

afterEach(() => {
  closeAll();
  document.body.replaceChildren();
  mock.timers.reset();
});

/** A widget on the page. `change` is a message with new states, by column. */
export function open({ columns = ["gpt-x"], state = columns.map(() => column({})), kernelId = "", format = "markdown", words } = {}) {
  const model = new FakeModel({ columns, state, format, session: `s${++sessions}`, kernel_id: kernelId, words });
  cleanups.push(widget.initialize({ model }));
  return { model, ...view(model) };
}

export function view(model) {
  const el = place();
  cleanups.push(widget.render({ model, el }));
  const $ = (selector) => el.querySelector(selector);
  const change = (...status) => {
    model.receive({ type: "delta", status: status.map((about, index) => [index, about]) });
    paint();
  };
  const write = (text, offset = 0) => {
    model.receive({ type: "delta", text: [[0, offset, text]] });
    paint();
  };
  return { el, $, change, write };
}

/** What anywidget does when the views and the model go. */
export function closeAll() {
  for (const cleanup of cleanups) cleanup();
  cleanups = [];
}

/** Painting is throttled by how long it took: time stands still, and jumps ahead before each frame. */
let now = 0;
mock.method(performance, "now", () => now);

export function paint() {
  now += 60_000;
  nextFrame();
}

export const press = (node, options = {}) =>
  node.dispatchEvent(new PointerEvent("pointerdown", { button: 0, pointerType: "mouse", bubbles: true, ...options }));
export const click = (node, detail) => node.dispatchEvent(new MouseEvent("click", { detail, bubbles: true }));
export const stops = (model) => model.sent.filter(({ type }) => type === "stop");

export function putJupyterConfig(config = { baseUrl: "/base/", token: "" }) {
  const script = document.createElement("script");
  script.id = "jupyter-config-data";
  script.type = "application/json";
  script.textContent = JSON.stringify(config);
  document.body.append(script);
}
