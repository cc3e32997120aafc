/** A timer for limits longer than setTimeout's 24.8 days. Returns what disarms it. */
const LONGEST_MS = 2 ** 31 - 1;

export function afterMs(delayMs: number, act: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    timer = setTimeout(() => (left > LONGEST_MS ? arm(left - LONGEST_MS) : act()), Math.min(left, LONGEST_MS));
  };
  arm(delayMs);
  return () => clearTimeout(timer);
}
