import { createReleaseWindow, startableTasks } from './release-window.js';

describe('a window', () => {
  let nowMs = 0;
  const windowAt = (floor: number): ReturnType<typeof createReleaseWindow> => {
    nowMs = 1_000;
    return createReleaseWindow(
      () => floor,
      () => nowMs,
    );
  };
  const startedAtOnce = (window: ReturnType<typeof createReleaseWindow>, count: number): void => {
    for (let n = 0; n < count; n++) window.started();
  };

  it('is its floor while nothing starts', () => {
    expect(windowAt(8).size()).toBe(8);
  });

  it('grows with what was started in the last quarter of a second, and shrinks with time', () => {
    const window = windowAt(8);
    startedAtOnce(window, 100);
    expect(window.size()).toBe(108);
    nowMs += 250;
    expect(window.size()).toBe(108);
    nowMs += 125;
    expect(window.size()).toBe(58);
    nowMs += 125;
    expect(window.size()).toBe(8);
  });

  it('holds steady where tasks start steadily', () => {
    const window = windowAt(8);
    const sizes: number[] = [];
    for (let n = 0; n < 100; n++) {
      nowMs += 25;
      startedAtOnce(window, 10);
      sizes.push(window.size());
    }
    for (const size of sizes.slice(20)) expect(Math.abs(size - 108)).toBeLessThanOrEqual(10);
  });

  it('bears a clock that goes back', () => {
    const window = windowAt(8);
    startedAtOnce(window, 1);
    nowMs -= 5_000;
    expect(window.size()).toBe(9);
  });
});

it.each([
  [0, 64, 4],
  [2, 64, 4],
  [15.5, 64, 16],
  [1000, 64, 64],
  [1000, 2, 4],
])('of %d cores, %d jobs looked at together: %d', (cores, concurrency, expected) => {
  expect(startableTasks(cores, concurrency)).toBe(expected);
});
