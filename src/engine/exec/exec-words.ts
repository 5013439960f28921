/** A command as events show it. Docker joins program and arguments, so one without arguments ends in a space. */
export function execWords([program = '', ...args]: readonly string[]): string {
  return `${program} ${args.join(' ')}`;
}
