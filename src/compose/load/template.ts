import { invalid } from '#base';

/** How a template finds values, and whom it tells that a variable has none. */
export interface Variables {
  /** The value of `name`, or undefined when it is not set. */
  lookup(name: string): string | undefined;
  /** Called for each use of a variable that is not set and has no default. */
  onUnset?(name: string): void;
}

/** One `$VAR` or `${VAR...}` of a template. */
export interface VariableUse {
  name: string;
  required: boolean;
  /** Text after `-` or `:-`. */
  defaultValue: string;
  /** Text after `+` or `:+`. */
  presenceValue: string;
}

interface Substitution {
  name: string;
  /** One of `` `-` `:-` `?` `:?` `+` `:+` ``, or empty. */
  operator: string;
  /** What follows the operator: itself a template. */
  argument: string;
  /** Index after the substitution. */
  end: number;
}

const nameAt = /[_a-zA-Z][_a-zA-Z0-9]*/y;
const operatorAt = /:?[-?+]/y;

/** Thrown when a template does not parse; its message is the template's text. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError';
}

function matchAt(pattern: RegExp, text: string, index: number): string {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0] ?? '';
}

/** Index of the brace that closes the `${` before `start`, on the same line; only another `${` opens a level. */
function closingBrace(text: string, start: number): number {
  let open = 1;
  for (let i = start; i < text.length && text[i] !== '\n'; i++) {
    if (text.startsWith('${', i)) {
      open++;
      i++;
    } else if (text[i] === '}' && --open === 0) return i;
  }
  return -1;
}

/** Reads the substitution whose `$` is at `index`. */
function substitutionAt(text: string, index: number): Substitution {
  if (text[index + 1] !== '{') {
    const name = matchAt(nameAt, text, index + 1);
    if (name === '') throw new TemplateSyntaxError(text);
    return { name, operator: '', argument: '', end: index + 1 + name.length };
  }
  const close = closingBrace(text, index + 2);
  const name = matchAt(nameAt, text, index + 2);
  const after = index + 2 + name.length;
  if (close === -1 || name === '') throw new TemplateSyntaxError(text);
  if (after === close) return { name, operator: '', argument: '', end: close + 1 };
  const operator = matchAt(operatorAt, text, after);
  if (operator === '') throw new TemplateSyntaxError(text);
  return { name, operator, argument: text.slice(after + operator.length, close), end: close + 1 };
}

function valueFor(use: Substitution, variables: Variables): string {
  const { name, operator, argument } = use;
  const value = variables.lookup(name);
  const present = value !== undefined && (value !== '' || !operator.startsWith(':'));
  // Used or not: docker compose warns of and refuses what is in it all the same.
  const other = substitute(argument, variables);
  switch (operator.at(-1)) {
    case '-':
      return present ? (value ?? '') : other;
    case '+':
      return present ? other : (value ?? '');
    case '?':
      if (present) return value ?? '';
      throw invalid(`required variable ${name} is missing a value${other ? `: ${other}` : ''}`);
    default:
      if (value === undefined) variables.onUnset?.(name);
      return value ?? '';
  }
}

/**
 * Replaces `$VAR`, `${VAR}`, `${VAR-default}`, `${VAR:-default}`, `${VAR?error}`, `${VAR:?error}`, `${VAR+other}` and
 * `${VAR:+other}`; with a colon an empty value counts as unset. `$$` is a dollar sign, as is one before anything else. The text after an operator is a
 * template of its own, which is looked at whether it is used or not.
 * Throws {@link TemplateSyntaxError}, or `invalid` for a required variable.
 */
export function substitute(text: string, variables: Variables): string {
  let from = 0;
  let result = '';
  for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', from)) {
    result += text.slice(from, dollar);
    const next = text[dollar + 1] ?? '';
    if (next === '$') {
      result += '$';
      from = dollar + 2;
      continue;
    }
    if (!/[_a-zA-Z{]/.test(next)) {
      result += '$';
      from = dollar + 1;
      continue;
    }
    const use = substitutionAt(text, dollar);
    result += valueFor(use, variables);
    from = use.end;
  }
  return result + text.slice(from);
}

/** The variables that a template uses, also inside defaults and alternatives. Text that does not parse has none. */
export function variableUses(text: string): VariableUse[] {
  const uses: VariableUse[] = [];
  let from = 0;
  for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', from)) {
    from = dollar + 2;
    if (text[dollar + 1] === '$') continue;
    try {
      const use = substitutionAt(text, dollar);
      const kind = use.operator.at(-1);
      uses.push({
        name: use.name,
        required: kind === '?',
        defaultValue: kind === '-' ? use.argument : '',
        presenceValue: kind === '+' ? use.argument : '',
      });
      if (kind !== '?') uses.push(...variableUses(use.argument));
      from = use.end;
    } catch {
      from = dollar + 1;
    }
  }
  return uses;
}
