/** A seeded generator of numbers (mulberry32): a failing run can be repeated. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Growing prefixes of `text`, the last one whole. Cuts fall anywhere, between surrogates too. */
export function* prefixes(text, random) {
  const longest = random() < 0.3 ? 1 : 1 + Math.floor(random() * 24);
  for (let end = 0; end < text.length; ) {
    end = Math.min(text.length, end + 1 + Math.floor(random() * longest));
    yield text.slice(0, end);
  }
}
