/**
 * Two async sources as one: everything of `main` in order, and what `side` has meanwhile. Ends with `main`.
 * At most one value of each is taken ahead, so a slow reader slows both sources.
 */
export async function* mergeUntilMainEnds<T>(
  main: AsyncIterable<T>,
  side: AsyncIterable<T>,
  stopSide: () => void,
): AsyncGenerator<T, void, undefined> {
  const ready: T[] = [];
  let wake = (): void => undefined;
  let taken = (): void => undefined;
  let ended = false;
  let failure: { error: unknown } | undefined;
  const pump = async (source: AsyncIterable<T>): Promise<void> => {
    for await (const value of source) {
      if (ended) return;
      ready.push(value);
      wake();
      if (ready.length > 1) await new Promise<void>((resolve) => (taken = chain(taken, resolve)));
    }
  };
  const mainDone = pump(main)
    .catch((error: unknown) => void (failure = { error }))
    .finally(() => {
      ended = true;
      stopSide();
      wake();
    });
  const sideDone = pump(side).catch((error: unknown) => {
    if (!ended) failure ??= { error };
    wake();
  });
  try {
    while (!ended || ready.length > 0) {
      const value = ready.shift();
      if (value !== undefined) {
        yield value;
      } else if (failure) {
        break;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (ready.length <= 1) {
        const go = taken;
        taken = () => undefined;
        go();
      }
    }
    if (failure) throw failure.error;
    await mainDone;
  } finally {
    ended = true;
    stopSide();
    taken();
    void sideDone;
  }
}

function chain(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
}
