// The next cell: what is put where in the notebook of JupyterLab or Notebook, and what is left alone.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { FakeModel } from "./kernel.js";

const { connect } = await import("../../metask_magic/display/frontend/src/session/channel.js");
const { Session } = await import("../../metask_magic/display/frontend/src/session/session.js");

let ids = 0;

/** A cell of JupyterLab's shared notebook, as far as it is used. */
class Cell {
  constructor({ source, metadata = {}, id = `c${++ids}` }) {
    Object.assign(this, { source, metadata, id });
  }
  getSource = () => this.source;
  setSource = (source) => (this.source = source);
  getMetadata = (key) => this.metadata[key];
  setMetadata = (key, value) => (this.metadata[key] = value);
}

class Notebook {
  constructor(...sources) {
    this.cells = sources.map((source, index) => new Cell({ source, id: `id${index}` }));
  }
  insertCell = (at, { cell_type, ...cell }) => {
    assert.equal(cell_type, "code");
    this.cells.splice(at, 0, new Cell(cell));
  };
  transact = (change) => change();
  get sources() {
    return this.cells.map(({ source }) => source);
  }
}

function connected(notebook) {
  const model = new FakeModel();
  if (notebook) model.widget_manager = { context: { model: { sharedModel: notebook } } };
  connect(model, new Session(1));
  const fill = (source, { cell = "id0", known = null } = {}) => model.receive({ type: "next_cell", cell, source, known });
  return { model, fill };
}

test("hello says whether the page can reach the cells", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const models = [connected(new Notebook("ask")), connected(), connected({})].map(({ model }) => model);
  mock.timers.tick(1);
  assert.deepEqual(models.map(({ sent }) => sent[0].cells), [true, false, false]);
  mock.timers.reset();
});

test("the first time a cell is put in, then filled anew", () => {
  const notebook = new Notebook("ask", "mine");
  const { fill } = connected(notebook);
  for (const source of ["x = 1", "x = 1", "x = 2"]) {
    fill(source);
    assert.deepEqual(notebook.sources, ["ask", source, "mine"]);
  }
});

test("a cell the user has changed stays, below the new one", () => {
  const notebook = new Notebook("ask", "mine");
  const { fill } = connected(notebook);
  fill("x = 1");
  notebook.cells[1].setSource("x = 10");
  fill("x = 2");
  fill("x = 3");
  assert.deepEqual(notebook.sources, ["ask", "x = 3", "x = 10", "mine"]);
});

test("a cell with the very code needs no second one, whoever wrote it there", () => {
  const notebook = new Notebook("ask");
  const { fill } = connected(notebook);
  fill("x = 1");
  notebook.cells[1].setSource("x = 2");
  fill("x = 2");
  fill("x = 3");
  assert.deepEqual(notebook.sources, ["ask", "x = 3"]);
});

test("each asking cell has a next cell of its own", () => {
  const notebook = new Notebook("ask", "ask too");
  const { fill } = connected(notebook);
  fill("one");
  fill("two", { cell: "id1" });
  fill("uno");
  assert.deepEqual(notebook.sources, ["ask", "uno", "ask too", "two"]);
});

test("what the kernel has put there itself is known", () => {
  const notebook = new Notebook("ask", "x = 1");
  const { fill } = connected(notebook);
  fill("x = 2", { known: "x = 1" });
  assert.deepEqual(notebook.sources, ["ask", "x = 2"]);
});

test("a cell that is not there any more has no next one", () => {
  const notebook = new Notebook("ask");
  connected(notebook).fill("x", { cell: "gone" });
  assert.deepEqual(notebook.sources, ["ask"]);
});
