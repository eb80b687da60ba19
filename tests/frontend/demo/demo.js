/**
 * Shows the built widget in one of its situations. `speed` in the address (characters a second) streams the replies
 * over and over; without it they stand still.
 */
import widget from "../../../metask_magic/display/static/widget.js";

const REPLY = `## Why the sum converges

The series $\\sum_{n} a_n$ with $a_n = r^n$ is **geometric**: for $|r| < 1$ it has the limit

$$
S = \\frac{1}{1 - r}
$$

1. Multiply by \`r\`, and subtract.
2. Every term but two cancels:
   - the first stays,
   - the last tends to zero.

\`\`\`python
def geometric(r: float, n: int = 50) -> float:
    """Partial sum, by hand."""
    return sum(r ** k for k in range(n))  # 1.9999…

print(geometric(0.5))
\`\`\`

| r | S | steps |
|--:|--:|:--|
| 0.5 | 2.00 | fast |
| 0.9 | 10.00 | *slower* |

> A picture: ![convergence](https://example.org/c.png), and [the proof](https://example.org/proof).

- [x] shown
- [ ] published — 数学 🙂
`;
const THINKING = "The user wants an *intuition*, not only a proof.\n\n- geometric series first\n- then the limit\n\nI should mention `|r| < 1`.";

const running = { text: REPLY.slice(0, 620), reasoning: "", status: "streaming", note: "", detail: "1.2 s · 620 characters" };
const done = { ...running, text: REPLY, status: "stop", detail: "3.4 s · 912 characters · 310 tokens" };

const CASES = {
  one: { columns: ["gpt-4o-mini"], state: [running] },
  done: { columns: ["gpt-4o-mini"], state: [done] },
  waiting: { columns: ["gpt-4o-mini"], state: [{ ...running, text: "", status: "waiting", note: "Rate limited: waiting 3 s", detail: "2.0 s" }] },
  reasoning: { columns: ["deepseek-reasoner"], state: [{ ...running, text: "", reasoning: THINKING, detail: "4.8 s" }] },
  error: { columns: ["gpt-4o-mini"], state: [{ ...running, text: REPLY.slice(0, 260), status: "error", note: "The connection was cut after 260 characters.\nWhat came is kept; run the cell again. Request id: req_8f3a", detail: "1.9 s" }] },
  two: { columns: ["gpt-4o-mini", "claude-3-5-sonnet-20241022"], state: [running, { ...running, text: REPLY.slice(0, 300) }] },
  many: {
    columns: ["gpt-4o-mini", "claude-3-5-sonnet-20241022-with-a-very-long-name", "gemini-1.5-pro"],
    state: [
      { ...running, reasoning: THINKING },
      { ...running, text: REPLY.slice(0, 200), status: "error", note: "429: too many requests. Try again in a minute." },
      { ...done, text: REPLY.slice(0, 480), status: "interrupted" },
    ],
  },
};

const address = new URLSearchParams(location.search);
const theme = address.get("theme") ?? "light";
if (theme !== "none") document.body.dataset.jpThemeLight = String(theme === "light");
const { columns, state } = CASES[address.get("case") ?? "one"];
const speed = Number(address.get("speed") ?? 0);

const handlers = new Set();
const model = {
  get: (name) => ({ columns, state: speed ? [] : state, session: "demo", kernel_id: "" })[name],
  on: (_, handler) => handlers.add(handler),
  off: (_, handler) => handlers.delete(handler),
  send(message) {
    if (message.type === "hello") receive({ type: "ack" });
    if (message.type === "stop") receive({ type: "delta", status: [[message.column, { status: "interrupted" }]] });
  },
};

function receive(message) {
  for (const handler of handlers) handler(message);
}

widget.initialize({ model });
widget.render({ model, el: document.getElementById("output") });

if (speed) {
  const text = REPLY.repeat(Number(address.get("times") ?? 20));
  let sent = 0;
  const step = Math.max(1, Math.round(speed / 30));
  const timer = setInterval(() => {
    const piece = text.slice(sent, sent + step);
    const about = { status: piece ? "streaming" : "stop", detail: `${sent} characters` };
    receive({ type: "delta", text: columns.map((_, index) => [index, sent, piece]), status: columns.map((_, index) => [index, about]) });
    sent += piece.length;
    if (!piece) clearInterval(timer);
  }, 1000 / 30);
}
