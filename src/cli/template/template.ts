import type { ParsedTemplate } from './ast.ts';
import { type ExecuteOptions, executeTemplate } from './execute.ts';
import { type TemplateFunction, templateFunctions } from './functions.ts';
import { parseTemplate } from './parser.ts';

/** A template ready to be run many times. */
export class Template {
  readonly #parsed: ParsedTemplate;
  readonly #functions: Readonly<Record<string, TemplateFunction>>;

  /** Throws `TemplateParseError`. `functions` override the standard ones by name. */
  constructor(source: string, functions: Readonly<Record<string, TemplateFunction>> = {}) {
    this.#functions = { ...templateFunctions, ...functions };
    this.#parsed = parseTemplate(source, new Set([...Object.keys(this.#functions), 'and', 'or']));
  }

  /** The text for `data`. Throws `TemplateExecError`. */
  execute(data: unknown, options: Omit<ExecuteOptions, 'functions'> = {}): string {
    return executeTemplate(this.#parsed, data, { ...options, functions: this.#functions });
  }
}
