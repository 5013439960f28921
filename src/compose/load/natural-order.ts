const letter = /\p{L}/u;
const digit = /\p{Nd}/u;

/** Reads the digits of `text` from `from`, after `before` as the digits in front of it. */
function numberAt(text: readonly string[], from: number, before: bigint): { value: bigint; end: number } {
  let value = before;
  let end = from;
  for (; digit.test(text[end] ?? ''); end++) value = value * 10n + BigInt(text[end]?.charCodeAt(0) ?? 48) - 48n;
  return { value, end };
}

/** True when a digit other than 0 is among those right before `index`. */
function followsNumber(text: readonly string[], index: number): boolean {
  for (let at = index - 1; digit.test(text[at] ?? ''); at--) if (text[at] !== '0') return true;
  return false;
}

/**
 * Orders keys as Go's YAML writer does: by code points, but runs of digits by the number they are (`s2` before `s10`)
 * and other signs before letters (after letters within a number).
 */
export function compareNaturally(first: string, second: string): number {
  const [a, b] = [[...first], [...second]];
  let inNumber = false;
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [x = '', y = ''] = [a[index], b[index]];
    if (x === y) {
      inNumber = digit.test(x);
      continue;
    }
    const [xLetter, yLetter] = [letter.test(x), letter.test(y)];
    if (xLetter !== yLetter) return xLetter === inNumber ? -1 : 1;
    const byCode = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
    if (xLetter) return byCode;
    const before = (x === '0' || y === '0') && followsNumber(a, index) ? 1n : 0n;
    const [m, n] = [numberAt(a, index, before), numberAt(b, index, before)];
    if (m.value !== n.value) return m.value < n.value ? -1 : 1;
    return m.end === n.end ? byCode : m.end - n.end;
  }
  return a.length - b.length;
}
