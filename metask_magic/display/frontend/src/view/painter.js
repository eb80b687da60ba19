/** Paints on animation frames, and so seldom that painting takes at most a quarter of the time. */

const SHARE = 1 / 4;

export class Painter {
  #paint;
  #frame = 0;
  #notBefore = 0;

  /** @param {() => void} paint */
  constructor(paint) {
    this.#paint = paint;
  }

  /** Ask for a paint; asking again before it comes changes nothing. */
  schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#onFrame());
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #onFrame() {
    this.#frame = 0;
    const start = performance.now();
    if (start < this.#notBefore) {
      this.schedule();
      return;
    }
    this.#paint();
    const end = performance.now();
    this.#notBefore = end + (end - start) * (1 / SHARE - 1);
  }
}
