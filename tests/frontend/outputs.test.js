// The output a view stands in: what a notebook keeps of it, and what a page gets that was loaded meanwhile.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { FakeModel, column } from "./kernel.js";

const { connect } = await import("../../metask_magic/display/frontend/src/session/channel.js");
const { Session } = await import("../../metask_magic/display/frontend/src/session/session.js");

const WIDGET = "application/vnd.jupyter.widget-view+json";
const RECORD_AFTER = 1000;

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

/** JupyterLab's model of a notebook, as far as it is used. */
class Notebook {
  isDisposed = false;
  constructor(...cells) {
    this.cells = cells;
  }
  toJSON = () => ({ cells: this.cells.map(({ outputs }) => (outputs ? { outputs: [...outputs.all] } : {})) });
}

function cell(id, ...all) {
  const outputs = {
    all,
    get length() {
      return all.length;
    },
    get: (at) => ({ toJSON: () => all[at] }),
    set: (at, output) => (all[at] = output),
    add: (output) => all.push(output),
  };
  return { id, outputs, trusted: false };
}

const stranger = { output_type: "stream", name: "stdout", text: "x" };
const shown = (id) => ({ output_type: "display_data", data: { [WIDGET]: { model_id: id }, "text/plain": "m …" }, metadata: {} });

/** A view in the notebook's second cell, as the page finds it. */
function open({ state = [column({})], outputs, format = "markdown", columns = ["m"], cells = [], words } = {}) {
  const asking = cell("asking", ...(outputs ?? [shown("v1")]));
  const notebook = new Notebook({ id: "text" }, asking, ...cells);
  const model = new FakeModel({ session: "v1", cell: "asking", columns, format });
  model.widget_manager = { context: { model: notebook } };
  const session = new Session(columns.length, words);
  session.adopt(state);
  connect(model, session);
  const sent = (type) => model.sent.filter((message) => message.type === type);
  return { model, session, notebook, asking, sent, saved: () => notebook.toJSON().cells[1].outputs };
}

const SO_FAR = column({ text: "# So *far*", status: "streaming" });
const cases = [
  ["in mid-stream", [SO_FAR], "# So *far*\n\n> Saved before its end."],
  ["before the first word", [column({})], "> Saved before its end."],
  ["what gave way is not kept", [column({ text: "no. yes", start: 4, status: "streaming" })], "yes\n\n> Saved before its end."],
  ["ended, its record not there yet", [column({ text: "all", status: "stop" })], "all"],
  ["ended badly", [column({ text: "all", status: "error", note: "It broke.\nTry again." })], "all\n\n> It broke.\n> Try again."],
];
for (const [name, state, text] of cases) {
  test(`saved: ${name}`, () => {
    const data = { "text/plain": text, "text/markdown": text };
    assert.deepEqual(open({ state }).saved()[0].data, data);
  });
}

test("saved: several models, each by its name", () => {
  const { saved } = open({ columns: ["a", "b"], state: [SO_FAR, column({ text: "B", status: "stop" })] });
  assert.equal(saved()[0].data["text/markdown"], "### a\n\n# So *far*\n\n> Saved before its end.\n\n### b\n\nB");
});

for (const text of ["<b>", "![x](y)", "[x][y]", "[x]: y"]) {
  test(`saved as it was written: ${text}`, () => {
    const { saved } = open({ state: [column({ text, status: "streaming" })] });
    assert.deepEqual(saved()[0].data, { "text/plain": `${text}\n\n> Saved before its end.` });
  });
}

test("saved in the kernel's language, also when it has gone", () => {
  const words = { "Saved before its end.": "保存时还没有结束。", "Broken off: the kernel has gone.": "已中断。" };
  const { saved, model } = open({ state: [SO_FAR], words });
  assert.equal(saved()[0].data["text/plain"], "# So *far*\n\n> 保存时还没有结束。");
  model.lose();
  assert.equal(saved()[0].data["text/plain"], "# So *far*\n\n> 已中断。");
});

test("saved as it was written: what is no Markdown", () => {
  assert.deepEqual(Object.keys(open({ format: "html" }).saved()[0].data), ["text/plain"]);
});

test("other outputs are saved as they are, whatever widget is in them", () => {
  const other = shown("of somebody else");
  assert.deepEqual(open({ outputs: [other] }).saved(), [other]);
});

test("what is shown does not change when it is saved", () => {
  const { asking, saved } = open();
  saved();
  assert.deepEqual(asking.outputs.all, [shown("v1")]);
});

test("the view comes back where its text was saved, in a page loaded meanwhile", () => {
  const before = open({ state: [SO_FAR] });
  const { asking } = open({ state: [SO_FAR], outputs: before.saved() });
  assert.equal(asking.outputs.all[0].data[WIDGET].model_id, "v1");
});

test("it comes back into its cell where nothing was saved, and nowhere before it has begun", () => {
  const late = open({ state: [SO_FAR], outputs: [] });
  assert.equal(late.asking.outputs.all[0].data[WIDGET].model_id, "v1");
  assert.ok(late.asking.trusted); // JupyterLab would not show it
  for (const state of [[column({})], [column({ text: "all", status: "stop" })]]) {
    assert.deepEqual(open({ state, outputs: [] }).asking.outputs.all, []);
  }
  assert.deepEqual(open({ state: [SO_FAR], outputs: [stranger] }).asking.outputs.all, [stranger]);
});

for (const [name, outputs, trusts] of [
  ["the view alone", [shown("v1")], true],
  ["something else as well", [shown("v1"), stranger], false],
  ["something else", [stranger], false],
]) {
  test(`a cell that somebody else has run is trusted with ${name}: ${trusts}`, () => {
    const { asking, model } = open({ outputs });
    asking.trusted = false;
    model.receive({ type: "delta", text: [[0, 0, "x"]] });
    assert.equal(asking.trusted, trusts);
  });
}

test("nothing is trusted any more once the view is shown", () => {
  const { asking, model, session } = open();
  session.output.viewShown();
  asking.trusted = false;
  model.receive({ type: "delta", text: [[0, 0, "x"]] });
  assert.equal(asking.trusted, false);
});

test("a record that has not come is asked for, once, and takes the view's place", () => {
  const { model, asking, sent } = open({ state: [column({ text: "all", status: "error" })] });
  mock.timers.tick(RECORD_AFTER - 1);
  assert.equal(sent("record").length, 0);
  mock.timers.tick(1);
  model.receive({ type: "delta", status: [[0, { detail: "1 s" }]] });
  mock.timers.tick(RECORD_AFTER);
  assert.equal(sent("record").length, 1);
  model.receive({ type: "record", data: { "text/plain": "all" }, metadata: { a: 1 }, note: "It broke." });
  assert.deepEqual(asking.outputs.all, [
    { output_type: "display_data", data: { "text/plain": "all" }, metadata: { a: 1 } },
    { output_type: "stream", name: "stderr", text: "It broke.\n" },
  ]);
});

for (const [name, clients, seconds] of [
  ["alone", [7], 1],
  ["the first of two", [7, 9], 3],
  ["the last of three", [9, 3, 7], 9],
]) {
  test(`who shares the notebook leaves it to others first: ${name}`, () => {
    const { notebook, session, sent } = open();
    notebook.sharedModel = { awareness: { clientID: Math.max(...(clients.length > 2 ? clients : [7])), getStates: () => new Map(clients.map((id) => [id, {}])) } };
    session.receive({ type: "delta", status: [[0, { status: "stop" }]] });
    mock.timers.tick(seconds * 1000 - 1);
    assert.equal(sent("record").length, 0);
    mock.timers.tick(1);
    assert.equal(sent("record").length, 1);
  });
}

test("a record that another page has asked for is left to that", () => {
  const { model, asking } = open({ state: [column({ text: "all", status: "stop" })] });
  model.receive({ type: "record", data: { "text/plain": "all" }, metadata: {}, note: "" });
  assert.deepEqual(asking.outputs.all, [shown("v1")]);
});

test("a record that has come is not asked for", () => {
  const { asking, sent, model } = open();
  asking.outputs.all[0] = { output_type: "display_data", data: { "text/plain": "all" }, metadata: {} };
  model.receive({ type: "delta", status: [[0, { status: "stop" }]] });
  mock.timers.tick(RECORD_AFTER);
  assert.equal(sent("record").length, 0);
});

for (const [name, change, stops] of [
  ["its cell has gone", ({ notebook }) => notebook.cells.splice(1, 1), 1],
  ["it was cleared", ({ asking }) => asking.outputs.all.splice(0), 0],
  ["its cell was moved", ({ notebook }) => notebook.cells.reverse(), 0],
  ["the notebook was closed", ({ notebook }) => Object.assign(notebook, { cells: [], isDisposed: true }), 0],
  ["the reply has ended", ({ notebook, session }) => {
    session.receive({ type: "delta", status: [[0, { status: "stop" }]] });
    notebook.cells.splice(1, 1);
  }, 0],
]) {
  test(`a view that goes, as ${name}, ${stops ? "ends" : "does not end"} the reply`, () => {
    const opened = open();
    change(opened);
    opened.session.output.viewGone();
    mock.timers.tick(1);
    assert.deepEqual(opened.sent("stop"), stops ? [{ type: "stop", column: null }] : []);
  });
}

for (const [name, stand_in] of [
  ["none", undefined],
  ["no cells", { toJSON: () => ({}) }],
  ["cells that cannot be walked through", { cells: {}, toJSON: () => ({}) }],
  ["nothing to be saved", { cells: [] }],
]) {
  test(`pages without such a notebook are left alone: ${name}`, () => {
    const model = new FakeModel({ session: "v1", cell: "", columns: ["m"], format: "markdown" });
    model.widget_manager = { context: { model: stand_in } };
    const session = new Session(1);
    connect(model, session);
    session.receive({ type: "delta", status: [[0, { status: "stop" }]] });
    session.output.viewGone();
    session.output.keep({ type: "record", data: {}, metadata: {}, note: "" });
    mock.timers.tick(RECORD_AFTER);
    assert.deepEqual(model.sent.filter(({ type }) => type !== "hello"), []);
  });
}
