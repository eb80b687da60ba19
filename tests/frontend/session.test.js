// The page's side of the protocol: deltas, gaps, keyframes, late views; and the channel to the kernel.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { FakeModel, column } from "./kernel.js";

const { Session, acquireSession } = await import("../../metask_magic/display/frontend/src/session/session.js");
const { connect } = await import("../../metask_magic/display/frontend/src/session/channel.js");

const delta = (...text) => ({ type: "delta", text });
const texts = (session) => session.columns.map(({ text }) => text);

test("deltas are appended", () => {
  const session = new Session(2);
  session.receive(delta([0, 0, "one"], [1, 0, "uno"]));
  session.receive({ type: "delta", text: [[0, 3, " two"]], reasoning: [[1, 0, "hm"]], status: [[1, { status: "streaming", note: "n" }]] });
  assert.deepEqual(texts(session), ["one two", "uno"]);
  assert.deepEqual(session.columns[1], column({ text: "uno", reasoning: "hm", status: "streaming", note: "n" }));
  assert.equal(session.behind, false);
});

test("what comes twice is taken once", () => {
  const session = new Session(1);
  session.receive(delta([0, 0, "abc"]));
  session.receive(delta([0, 0, "abc"]));
  session.receive(delta([0, 1, "bcde"]));
  assert.deepEqual(texts(session), ["abcde"]);
});

test("offsets count UTF-16 units, wherever a text is cut", () => {
  const session = new Session(1);
  const text = "a🙂b👩‍👩‍👧漢";
  for (let offset = 0; offset < text.length; offset++) session.receive(delta([0, offset, text[offset]]));
  assert.deepEqual(texts(session), [text]);
});

test("a gap is noticed, and a keyframe fills it", () => {
  const session = new Session(1);
  session.receive(delta([0, 0, "ab"]));
  session.receive(delta([0, 5, "fg"]));
  assert.equal(session.behind, true);
  assert.deepEqual(texts(session), ["ab"]);
  session.receive({ type: "keyframe", state: [column({ text: "abcdefg", status: "streaming" })] });
  assert.equal(session.behind, false);
  session.receive(delta([0, 5, "fgh"]));
  assert.deepEqual(texts(session), ["abcdefgh"]);
});

test("an older keyframe takes nothing away", () => {
  const session = new Session(1);
  session.receive({ type: "delta", text: [[0, 0, "abcd"]], status: [[0, { status: "stop", detail: "1 s" }]] });
  session.adopt([column({ text: "ab", status: "streaming", detail: "0 s" })]);
  session.adopt([column({ text: "abcd", status: "streaming", detail: "0 s" })]);
  assert.deepEqual(session.columns, [column({ text: "abcd", status: "stop", detail: "1 s" })]);
});

test("columns nobody knows are passed over", () => {
  const session = new Session(1);
  session.receive({ type: "delta", text: [[7, 0, "x"]], reasoning: [[7, 0, "x"]], status: [[7, { status: "stop" }]] });
  session.adopt([column({}), column({ text: "x" })]);
  assert.deepEqual(session.columns, [column({})]);
});

test("views of one cell share a session until the last one leaves", () => {
  const one = acquireSession("id", 1);
  const two = acquireSession("id", 1);
  assert.equal(one.session, two.session);
  one.release();
  one.release();
  assert.equal(acquireSession("id", 1).session, two.session);
  two.release();
  two.release();
  assert.notEqual(acquireSession("other", 1).session, two.session);
});

test("hello is said until it is answered", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeModel();
  const session = new Session(1);
  const disconnect = connect(model, session);
  mock.timers.tick(150);
  assert.deepEqual(model.sent, [{ type: "hello", cells: false }, { type: "hello", cells: false }]);
  model.receive({ type: "ack" });
  mock.timers.tick(5000);
  assert.equal(model.sent.length, 2);
  assert.equal(session.acknowledged, true);
  disconnect();
  mock.timers.reset();
});

test("a kernel that restarts just now is told nothing, and no error is left in the page", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeModel();
  model.send = () => {
    throw new Error("Cannot send");
  };
  const disconnect = connect(model, new Session(1));
  mock.timers.tick(5000);
  delete model.send;
  disconnect();
  connect(model, new Session(1));
  mock.timers.tick(10);
  assert.equal(model.sent.length, 1, "it is heard again later");
  mock.timers.reset();
});

test("nobody says hello to a reply that has ended", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeModel();
  const session = new Session(1);
  session.adopt([column({ text: "x", status: "stop" })]);
  connect(model, session);
  mock.timers.tick(5000);
  assert.deepEqual(model.sent, []);
  mock.timers.reset();
});

test("a gap asks for a keyframe: once, again if none comes, not for ever", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = new FakeModel();
  const session = new Session(1);
  session.acknowledged = true;
  connect(model, session);
  const resyncs = () => model.sent.filter(({ type }) => type === "resync").length;
  model.receive(delta([0, 9, "x"]));
  model.receive(delta([0, 10, "y"]));
  assert.equal(resyncs(), 1);
  mock.timers.tick(1000);
  assert.equal(resyncs(), 2);
  mock.timers.tick(1000);
  mock.timers.tick(1000);
  mock.timers.tick(1000);
  mock.timers.tick(1000);
  mock.timers.tick(60_000);
  assert.equal(resyncs(), 5);
  model.receive({ type: "keyframe", state: [column({ text: "x".repeat(20), status: "streaming" })] });
  model.receive(delta([0, 50, "z"]));
  assert.equal(resyncs(), 6);
  mock.timers.reset();
});

test("a disconnected model is not listened to", () => {
  const model = new FakeModel();
  const session = new Session(1);
  connect(model, session)();
  model.receive(delta([0, 0, "x"]));
  assert.deepEqual(texts(session), [""]);
});
