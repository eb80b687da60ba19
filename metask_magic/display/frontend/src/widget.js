/** The widget's module, as anywidget calls it: `initialize` once per model, `render` once per view. */
import { typesetterOf } from "./markdown/typeset.js";
import { connect } from "./session/channel.js";
import { kernelInterrupt } from "./session/interrupt.js";
import { acquireSession } from "./session/session.js";
import { ColumnView } from "./view/column.js";
import { keepFocus } from "./view/focus.js";
import { Painter } from "./view/painter.js";

/** @typedef {import("./session/channel.js").Model} Model */

/** @param {Model} model */
function sessionOf(model) {
  return acquireSession(model.get("session"), model.get("columns").length, model.get("words"));
}

/** @param {{model: Model}} context */
function initialize({ model }) {
  const { session, release } = sessionOf(model);
  session.adopt(model.get("state"));
  const disconnect = connect(model, session);
  return () => {
    disconnect();
    release();
  };
}

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const { session, release } = sessionOf(model);
  /** @type {string[]} */
  const titles = model.get("columns");
  const format = model.get("format");
  const alone = titles.length === 1;
  const interrupt = kernelInterrupt(model.get("kernel_id"));
  const typeset = typesetterOf(model);
  const columns = titles.map(
    (title, index) =>
      new ColumnView({ session, index, title, format, alone, interrupt, typeset, send: (message) => model.send(message) }),
  );
  el.classList.add("metask", alone ? "metask-one" : "metask-many");
  el.style.setProperty("--metask-columns", String(titles.length));
  el.append(...columns.map((column) => column.node));

  const leave = keepFocus(el);
  const painter = new Painter(() => columns.forEach((column) => column.update()));
  const unsubscribe = session.subscribe(() => painter.schedule());
  columns.forEach((column) => column.update()); // at once: a view that comes late must not blink
  session.output?.viewShown();
  return () => {
    session.output?.viewGone();
    unsubscribe();
    leave();
    painter.stop();
    columns.forEach((column) => {
      column.update(); // the end is announced, though nobody has seen it here
      column.dispose();
    });
    release();
  };
}

export default { initialize, render };
