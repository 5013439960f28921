/**
 * A source of numbers that gives the same ones for the same seed: a test that fails names its seed and can be run again.
 * Returns whole numbers from 0 to below `limit`. (mulberry32, in the public domain.)
 */
export function seededNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** How many rounds a fuzz test makes: few in each run, as many as BERTH_FUZZ_ROUNDS says when asked for. */
export function fuzzRounds(few: number): number {
  return Number(process.env.BERTH_FUZZ_ROUNDS ?? few);
}

/** A copy of `bytes` with one to eight faults: changed, doubled, missing or foreign bytes, or a cut end. */
export function mutate(bytes: Buffer, random: (limit: number) => number): Buffer {
  let result = Buffer.from(bytes);
  for (let left = 1 + random(8); left > 0 && result.length > 1; left -= 1) {
    const at = random(result.length);
    const length = 1 + random(Math.min(600, result.length - at));
    const kind = random(6);
    if (kind === 0) result[at] = random(256);
    else if (kind === 1) result[at] = (result[at] ?? 0) ^ (1 << random(8));
    else if (kind === 2) result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
    else if (kind === 3) result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)]);
    else if (kind === 4) result.fill(random(2) === 0 ? 0 : 0xff, at, at + Math.min(length, 16));
    else if (random(8) === 0) result = Buffer.from(result.subarray(0, at));
  }
  return result;
}
