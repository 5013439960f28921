/** Whether an environment variable says yes: `1`, `t` or `true`, in any case. */
export function isTrue(text: string | undefined): boolean {
  return /^(1|t|true)$/i.test(text ?? '');
}
