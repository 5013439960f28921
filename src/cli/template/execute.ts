import type { CommandNode, Node, Operand, ParsedTemplate, Pipeline, Positioned } from './ast.ts';
import { TemplateExecError } from './errors.ts';
import type { TemplateFunction } from './functions.ts';
import { formatValue, GoNil, goType, isObject, isTrue, noValue, sortedKeys, typeName } from './go-value.ts';
import { lineOf } from './lexer.ts';

/** What templates call, and how missing keys count. */
export interface ExecuteOptions {
  readonly functions: Readonly<Record<string, TemplateFunction>>;
  /** True: a key that a map does not have is an error, unless the map is in `openMaps`. */
  readonly strict?: boolean;
  /** Maps whose keys are data rather than field names. */
  readonly openMaps?: WeakSet<object>;
  /** Names of fields that are absent when they have no value; reading one gives nil. */
  readonly optionalFields?: ReadonlySet<string>;
}

type Signal = 'break' | 'continue' | undefined;
const absent: unique symbol = Symbol('no argument');
const maxDepth = 1000;

class Executor {
  readonly #template: ParsedTemplate;
  readonly #options: ExecuteOptions;
  #variables: { name: string; value: unknown }[];
  #name = '';
  #depth = 0;
  out = '';

  constructor(template: ParsedTemplate, options: ExecuteOptions, data: unknown) {
    this.#template = template;
    this.#options = options;
    this.#variables = [{ name: '$', value: data }];
  }

  #fail(node: Positioned, message: string, context = node.source): never {
    const line = lineOf(this.#template.source, node.at);
    const column = node.at - (this.#template.source.lastIndexOf('\n', node.at - 1) + 1);
    throw new TemplateExecError({ line, column, template: this.#name, context }, message);
  }

  list(nodes: readonly Node[], dot: unknown): Signal {
    for (const node of nodes) {
      const signal = this.#node(node, dot);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  #node(node: Node, dot: unknown): Signal {
    switch (node.kind) {
      case 'text':
        this.out += node.text;
        return undefined;
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.out += this.#print(node.pipeline, value);
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        this.#call(node, dot);
        return undefined;
      default:
        return this.#control(node, dot);
    }
  }

  #print(node: Positioned, value: unknown): string {
    if (typeof value === 'function') this.#fail(node, `can't print ${node.source} of type func()`);
    return formatValue(value);
  }

  #call(node: Extract<Node, { kind: 'template' }>, dot: unknown): void {
    const body = this.#template.defined.get(node.name);
    if (body === undefined) this.#fail(node, `template ${JSON.stringify(node.name)} not defined`);
    const data = node.pipeline === undefined ? null : this.#pipeline(node.pipeline, dot);
    this.#depth += 1;
    if (this.#depth > maxDepth) this.#fail(node, 'exceeded maximum template depth (1000)');
    const outer = { variables: this.#variables, name: this.#name };
    this.#variables = [{ name: '$', value: data }];
    this.#name = node.name;
    this.list(body, data);
    this.#variables = outer.variables;
    this.#name = outer.name;
    this.#depth -= 1;
  }

  #control(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: unknown): Signal {
    const mark = this.#variables.length;
    try {
      if (node.kind === 'range') return this.#range(node, dot);
      const value = this.#pipeline(node.pipeline, dot);
      if (isTrue(value)) return this.list(node.body, node.kind === 'with' ? value : dot);
      return this.list(node.otherwise, dot);
    } finally {
      this.#variables.length = mark;
    }
  }

  #entries(pipeline: Pipeline, value: unknown): [unknown, unknown][] {
    if (value === null || value === undefined || value === noValue || value instanceof GoNil) return [];
    if (Array.isArray(value)) return value.map((part, index) => [index, part]);
    if (typeof value === 'number' && Number.isInteger(value))
      return Array.from({ length: Math.min(value, 1e6) }, (_, i) => [i, i]);
    if (isObject(value) && value[typeName] === undefined) return sortedKeys(value).map((key) => [key, value[key]]);
    return this.#fail(pipeline, `range can't iterate over ${formatValue(value)}`);
  }

  #range(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: unknown): Signal {
    const { variables } = node.pipeline;
    const value = this.#pipeline(node.pipeline, dot, true);
    const entries = this.#entries(node.pipeline, value);
    const mark = this.#variables.length;
    for (const [key, part] of entries) {
      const [first, second] = variables;
      const set = (name: string, content: unknown) =>
        node.pipeline.assign ? this.#assign(name, content) : this.#variables.push({ name, value: content });
      if (first !== undefined) set(first, second === undefined ? part : key);
      if (second !== undefined) set(second, part);
      const signal = this.list(node.body, part);
      this.#variables.length = mark;
      if (signal === 'break') break;
    }
    return entries.length === 0 ? this.list(node.otherwise, dot) : undefined;
  }

  #assign(name: string, value: unknown): void {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable) variable.value = value;
  }

  #pipeline(pipeline: Pipeline, dot: unknown, forRange = false): unknown {
    let value: unknown = absent;
    for (const command of pipeline.commands) value = this.#command(command, dot, value);
    if (!forRange) {
      for (const name of pipeline.variables) {
        if (pipeline.assign) this.#assign(name, value);
        else this.#variables.push({ name, value });
      }
    }
    return value;
  }

  #command(command: CommandNode, dot: unknown, piped: unknown): unknown {
    const [first, ...rest] = command.operands;
    if (first === undefined) return noValue;
    if (first.kind === 'function') return this.#function(command, first.name, { dot, rest, piped });
    const args = (): unknown[] => {
      const values = rest.map((operand) => this.#operand(operand, dot));
      return piped === absent ? values : [...values, piped];
    };
    if (first.kind === 'field' || first.kind === 'variable' || first.kind === 'pipeline') {
      return this.#operand(first, dot, args());
    }
    if (rest.length > 0 || piped !== absent) {
      this.#fail(first, `can't give argument to non-function ${first.source}`);
    }
    return this.#operand(first, dot);
  }

  #function(command: Positioned, name: string, call: { dot: unknown; rest: Operand[]; piped: unknown }): unknown {
    if (name === 'and' || name === 'or') {
      let value: unknown = noValue;
      for (const operand of call.rest) {
        value = this.#operand(operand, call.dot);
        if (isTrue(value) === (name === 'or')) return value;
      }
      return call.piped === absent ? value : call.piped;
    }
    const values = call.rest.map((operand) => this.#operand(operand, call.dot));
    if (call.piped !== absent) values.push(call.piped);
    try {
      return this.#options.functions[name]?.(...values);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.#fail(command, `error calling ${name}: ${message}`);
    }
  }

  #operand(operand: Operand, dot: unknown, args: unknown[] = []): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return dot;
      case 'function':
        return this.#function(operand, operand.name, { dot, rest: [], piped: absent });
      case 'field':
        return this.#path(operand, { from: dot, path: operand.path, args });
      case 'variable': {
        const found = this.#variables.findLast((candidate) => candidate.name === operand.name);
        return this.#path(operand, { from: found?.value, path: operand.path, args });
      }
      case 'pipeline':
        return this.#path(operand, { from: this.#pipeline(operand.pipeline, dot), path: operand.path, args });
    }
  }

  #path(node: Positioned, walk: { from: unknown; path: readonly string[]; args: unknown[] }): unknown {
    let value = walk.from;
    for (const [index, name] of walk.path.entries()) {
      value = this.#field(node, { value, name, args: index === walk.path.length - 1 ? walk.args : [] });
    }
    if (walk.path.length === 0 && walk.args.length > 0) {
      this.#fail(node, `can't give argument to non-function ${node.source}`);
    }
    return value;
  }

  #field(node: Positioned, { value, name, args }: { value: unknown; name: string; args: unknown[] }): unknown {
    if (value instanceof GoNil && value.kind === 'map') return noValue;
    if (value === null || value === undefined) this.#fail(node, `nil pointer evaluating interface {}.${name}`);
    if (value === noValue || !isObject(value)) {
      const type = value === noValue || value instanceof GoNil || Array.isArray(value) ? 'interface {}' : goType(value);
      return this.#fail(node, `can't evaluate field ${name} in type ${this.#options.strict ? 'interface {}' : type}`);
    }
    if (!Object.hasOwn(value, name)) {
      const type = value[typeName];
      if (type !== undefined) this.#fail(node, `can't evaluate field ${name} in type ${type}`);
      if (this.#options.openMaps?.has(value) || !this.#options.strict) return noValue;
      if (this.#options.optionalFields?.has(name)) return null;
      this.#fail(node, `map has no entry for key ${JSON.stringify(name)}`);
    }
    const found = value[name];
    if (typeof found === 'function') {
      if (found.length !== args.length) {
        this.#fail(node, `wrong number of args for ${name}: want ${found.length} got ${args.length}`);
      }
      return found.apply(value, args);
    }
    if (args.length > 0) this.#fail(node, `${name} has arguments but cannot be invoked as function`);
    return found;
  }
}

/** Runs a template on `data` and returns the text. Throws {@link TemplateExecError} with Go's texts. */
export function executeTemplate(template: ParsedTemplate, data: unknown, options: ExecuteOptions): string {
  const executor = new Executor(template, options, data);
  executor.list(template.root, data);
  return executor.out;
}
