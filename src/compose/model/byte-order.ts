/** Compares text as Go sorts it: by the bytes of UTF-8, which differs from JavaScript's order beyond U+FFFF only. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  if (/[\ud800-\udfff]/.test(a) || /[\ud800-\udfff]/.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}
