// A source of choices that a seed decides entirely (mulberry32): the same seed gives the same documents on every machine.

export function makeRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const random = {
    /** A whole number, both ends included. */
    int: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)],
    /** Some of the items, in their order. */
    some: (items, probability) => items.filter(() => next() < probability),
    times: (count, make) => Array.from({ length: count }, (_, index) => make(index)),
    shuffle: (items) =>
      items
        .map((item) => [next(), item])
        .sort(([a], [b]) => a - b)
        .map(([, item]) => item),
  };
  return random;
}
