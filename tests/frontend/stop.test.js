// Stop: by message, else by an interrupt, else not offered; and never once the reply has ended.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { click, fetches, open, paint, press, putJupyterConfig, stops } from "./page.js";

test("Stop is hidden where nothing can stop", () => {
  const { $, change } = open({ kernelId: "abc" });
  change({ status: "streaming" });
  assert.equal($(".metask-stop").hidden, true);
});

test("Stop sends one message on press; the click that follows sends none", () => {
  const { model, $, change } = open();
  model.receive({ type: "ack" });
  change({ status: "streaming" });
  press($(".metask-stop"));
  click($(".metask-stop"), 1);
  click($(".metask-stop"), 2);
  press($(".metask-stop"));
  assert.deepEqual(stops(model), [{ type: "stop", column: 0 }]);
  assert.equal($(".metask-stop").textContent, "Stopping…");
  assert.equal($(".metask-stop").getAttribute("aria-disabled"), "true");
});

test("Stop works by keyboard and by touch, not by the right button", () => {
  for (const act of [(node) => click(node, 0), (node) => (press(node, { pointerType: "touch" }), click(node, 1))]) {
    const { model, $, change } = open();
    model.receive({ type: "ack" });
    change({ status: "streaming" });
    press($(".metask-stop"), { button: 2 });
    assert.deepEqual(stops(model), []);
    act($(".metask-stop"));
    assert.deepEqual(stops(model), [{ type: "stop", column: 0 }]);
  }
});

test("a Stop that has worked is not repeated", () => {
  putJupyterConfig();
  const { model, $, change } = open({ kernelId: "abc" });
  model.receive({ type: "ack" });
  change({ status: "streaming" });
  press($(".metask-stop"));
  change({ status: "interrupted" });
  mock.timers.tick(10_000);
  assert.equal(stops(model).length, 1);
  assert.deepEqual(fetches, []);
});

test("a Stop nobody answers is repeated, then the kernel interrupted, then offered again", () => {
  putJupyterConfig();
  const { model, $, change } = open({ kernelId: "abc" });
  model.receive({ type: "ack" });
  change({ status: "streaming" });
  press($(".metask-stop"));
  mock.timers.tick(400);
  assert.equal(stops(model).length, 2);
  mock.timers.tick(1100);
  assert.equal(fetches.length, 1);
  mock.timers.tick(3500);
  assert.equal($(".metask-stop").textContent, "Stop");
});

test("the kernel is not interrupted for one column while others still stream", () => {
  putJupyterConfig();
  const { model, el, change } = open({ columns: ["a", "b"], kernelId: "abc" });
  model.receive({ type: "ack" });
  change({ status: "streaming" }, { status: "streaming" });
  press(el.querySelectorAll(".metask-stop")[1]);
  mock.timers.tick(10_000);
  assert.deepEqual(stops(model), [{ type: "stop", column: 1 }, { type: "stop", column: 1 }]);
  assert.deepEqual(fetches, []);
});

test("without an answer to hello, Stop interrupts the kernel over REST", () => {
  putJupyterConfig({ baseUrl: "/base/", token: "t0ken" });
  document.cookie = "_xsrf=x5rf";
  const { model, $, change } = open({ kernelId: "abc-123" });
  change({ status: "streaming" });
  press($(".metask-stop"));
  assert.deepEqual(stops(model), []);
  assert.equal(fetches.length, 1);
  const [address, { method, headers }] = fetches[0];
  assert.equal(address, "http://localhost:8888/base/api/kernels/abc-123/interrupt");
  assert.equal(method, "POST");
  assert.deepEqual(headers, { "X-XSRFToken": "x5rf", Authorization: "token t0ken" });
});

test("an interrupt stops all columns, and the button says so", () => {
  putJupyterConfig();
  const { model, $, change } = open({ columns: ["a", "b"], kernelId: "abc" });
  change({ status: "streaming" }, { status: "streaming" });
  assert.equal($(".metask-stop").textContent, "Stop all");
  model.receive({ type: "ack" });
  paint();
  assert.equal($(".metask-stop").textContent, "Stop");
});

test("nothing is interrupted once the reply has ended, painted or not", () => {
  putJupyterConfig();
  const { model, $, change } = open({ kernelId: "abc" });
  change({ status: "streaming" });
  const button = $(".metask-stop");
  model.receive({ type: "delta", status: [[0, { status: "stop" }]] }); // not painted yet
  press(button);
  click(button, 0);
  assert.deepEqual(fetches, []);
  assert.deepEqual(stops(model), []);
});

test("a token never leaves its origin, nor is a strange kernel id used", () => {
  putJupyterConfig({ baseUrl: "https://evil.example/", token: "t" });
  const away = open({ kernelId: "abc" });
  away.change({ status: "streaming" });
  assert.equal(away.$(".metask-stop").hidden, true);
  document.body.replaceChildren();
  putJupyterConfig();
  const strange = open({ kernelId: "../../x" });
  strange.change({ status: "streaming" });
  assert.equal(strange.$(".metask-stop").hidden, true);
});

test("focus moves on when Stop goes", () => {
  const { model, $, change } = open();
  model.receive({ type: "ack" });
  change({ status: "streaming" });
  $(".metask-stop").focus();
  change({ status: "stop" });
  assert.equal(document.activeElement, $(".metask-copy"));
});
