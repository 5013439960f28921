import type { CommandNode, Node, Operand, ParsedTemplate, Pipeline } from './ast.ts';
import { TemplateParseError } from './errors.ts';
import { lex, lineOf, type Token } from './lexer.ts';
import { unquote } from './quote.ts';

const keywords = new Set(['if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue']);

class Parser {
  readonly #source: string;
  readonly #tokens: Token[];
  readonly #functions: ReadonlySet<string>;
  readonly defined = new Map<string, readonly Node[]>();
  #at = 0;
  #rangeDepth = 0;
  #variables: string[] = ['$'];

  constructor(source: string, functions: ReadonlySet<string>) {
    this.#source = source;
    this.#tokens = lex(source);
    this.#functions = functions;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', at: this.#source.length };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #skipSpace(): Token {
    while (this.#peek().kind === 'space') this.#at += 1;
    return this.#peek();
  }

  #fail(message: string, token = this.#peek()): never {
    throw new TemplateParseError(lineOf(this.#source, token.at), message);
  }

  #describe(token: Token): string {
    if (token.kind === 'end') return 'EOF';
    if (token.kind === 'identifier' && keywords.has(token.text)) return `<${token.text}>`;
    return JSON.stringify(token.text.trim());
  }

  #unexpected(token: Token, context: string): never {
    return token.kind === 'end'
      ? this.#fail('unexpected EOF', token)
      : this.#fail(`unexpected ${this.#describe(token)} in ${context}`, token);
  }

  /** Reads nodes up to `{{end}}` or `{{else}}`; the keyword that ended the list is handed back. */
  list(inside: boolean): { nodes: Node[]; ended: 'end' | 'else' | 'eof' } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') {
        if (inside) this.#fail('unexpected EOF', token);
        return { nodes, ended: 'eof' };
      }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.#skipSpace();
      if (word.kind === 'identifier' && (word.text === 'end' || word.text === 'else')) {
        this.#next();
        if (word.text === 'end') this.#close('end');
        if (!inside) this.#fail(`unexpected {{${word.text}}}`, word);
        return { nodes, ended: word.text };
      }
      const node = this.#action(word);
      if (node) nodes.push(node);
    }
  }

  #close(context: string): void {
    const token = this.#skipSpace();
    if (token.kind !== 'close') this.#unexpected(token, context);
    this.#next();
  }

  #action(word: Token): Node | undefined {
    if (word.kind === 'identifier' && keywords.has(word.text)) {
      this.#next();
      switch (word.text) {
        case 'if':
        case 'with':
        case 'range':
          return this.#control(word.text);
        case 'define':
          return this.#define();
        case 'block':
          return this.#block(word);
        case 'template':
          return this.#template(word);
        default:
          if (this.#rangeDepth === 0) this.#fail(`{{${word.text}}} outside {{range}}`, word);
          this.#close(word.text);
          return { kind: word.text === 'break' ? 'break' : 'continue' };
      }
    }
    const pipeline = this.#pipeline('command', 'close');
    this.#next();
    return { kind: 'action', pipeline };
  }

  #control(kind: 'if' | 'with' | 'range'): Node {
    const variables = this.#variables.length;
    const pipeline = this.#pipeline(kind, 'close');
    this.#next();
    if (kind === 'range') this.#rangeDepth += 1;
    const body = this.list(true);
    if (kind === 'range') this.#rangeDepth -= 1;
    let otherwise: readonly Node[] = [];
    if (body.ended === 'else') {
      const token = this.#skipSpace();
      if (token.kind === 'identifier' && token.text === kind && kind !== 'range') {
        this.#next();
        otherwise = [this.#control(kind)];
      } else {
        this.#close('else');
        const rest = this.list(true);
        if (rest.ended === 'else') this.#fail('expected end; found {{else}}');
        otherwise = rest.nodes;
      }
    }
    this.#variables.length = variables;
    return { kind, pipeline, body: body.nodes, otherwise };
  }

  #name(context: string): string {
    const token = this.#skipSpace();
    if (token.kind !== 'string') this.#unexpected(token, context);
    this.#next();
    return unquote(token.text);
  }

  #define(): undefined {
    const name = this.#name('define clause');
    this.#close('define clause');
    const outer = this.#variables;
    this.#variables = ['$'];
    this.defined.set(name, this.list(true).nodes);
    this.#variables = outer;
    return undefined;
  }

  #block(word: Token): Node {
    const name = this.#name('block clause');
    const pipeline = this.#pipeline('block clause', 'close');
    this.#next();
    const outer = this.#variables;
    this.#variables = ['$'];
    this.defined.set(name, this.list(true).nodes);
    this.#variables = outer;
    return { kind: 'template', name, pipeline, at: word.at, source: `{{template ${JSON.stringify(name)}}}` };
  }

  #template(word: Token): Node {
    const start = this.#skipSpace().at;
    const name = this.#name('template clause');
    const token = this.#skipSpace();
    const pipeline = token.kind === 'close' ? undefined : this.#pipeline('template clause', 'close');
    this.#next();
    const source = `{{template ${this.#source.slice(start, this.#source.indexOf('}}', word.at)).trim()}}}`;
    return { kind: 'template', name, at: start, source, ...(pipeline ? { pipeline } : {}) };
  }

  #declarations(context: string): { variables: string[]; assign: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    for (;;) {
      const name = this.#skipSpace();
      if (name.kind !== 'variable') break;
      this.#next();
      variables.push(name.text);
      const sign = this.#skipSpace();
      if (sign.kind === 'comma' && context === 'range' && variables.length < 2) {
        this.#next();
        continue;
      }
      if (sign.kind === 'declare' || sign.kind === 'assign') {
        this.#next();
        return { variables, assign: sign.kind === 'assign' };
      }
      break;
    }
    this.#at = start;
    return { variables: [], assign: false };
  }

  #pipeline(context: string, until: 'close' | 'rparen'): Pipeline {
    const start = this.#skipSpace().at;
    const { variables, assign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#skipSpace();
      if (token.kind === until) {
        if (commands.length === 0) this.#fail(`missing value for ${context}`, token);
        break;
      }
      if (token.kind === 'close' || token.kind === 'end') this.#unexpected(token, context);
      commands.push(this.#command(context));
      if (this.#skipSpace().kind === 'pipe') {
        const pipe = this.#next();
        if (this.#skipSpace().kind === until) this.#fail(`missing value for ${context}`, pipe);
      }
    }
    for (const [index, command] of commands.entries()) {
      const first = command.operands[0];
      if (index > 0 && (first?.kind === 'literal' || first?.kind === 'dot')) {
        this.#fail(`non executable command in pipeline stage ${index + 1}`);
      }
    }
    if (!assign) this.#variables.push(...variables);
    return { variables, assign, commands, at: start, source: this.#source.slice(start, this.#peek().at).trim() };
  }

  #command(context: string): CommandNode {
    const start = this.#skipSpace().at;
    const operands: Operand[] = [];
    let end = start;
    for (;;) {
      const token = this.#skipSpace();
      if (token.kind === 'close' || token.kind === 'pipe' || token.kind === 'rparen' || token.kind === 'end') break;
      operands.push(this.#operand(context));
      end = this.#peek().at;
    }
    if (operands.length === 0) this.#fail('empty command');
    return { operands, at: start, source: this.#source.slice(start, end).trim() };
  }

  #operand(context: string): Operand {
    const token = this.#next();
    const path: string[] = [];
    let at = token.at;
    const fields = (): string[] => {
      for (let first = true; this.#peek().kind === 'field'; first = false) {
        const field = this.#next();
        if (first && token.kind !== 'lparen') at = field.at;
        path.push(field.text.slice(1));
      }
      return path;
    };
    const finish = <T>(node: T): T & { at: number; source: string } => ({
      ...node,
      at,
      source: this.#source.slice(token.at, this.#peek().at).trim(),
    });
    switch (token.kind) {
      case 'field':
        path.push(token.text.slice(1));
        return finish({ kind: 'field', path: fields() });
      case 'variable':
        if (!this.#variables.includes(token.text))
          this.#fail(`undefined variable ${JSON.stringify(token.text)}`, token);
        return finish({ kind: 'variable', name: token.text, path: fields() });
      case 'dot':
        return finish({ kind: 'dot' });
      case 'string':
        return finish({ kind: 'literal', value: unquote(token.text) });
      case 'char':
        return finish({ kind: 'literal', value: unquote(`"${token.text.slice(1, -1)}"`).codePointAt(0) ?? 0 });
      case 'number':
        return finish({ kind: 'literal', value: Number(token.text.replaceAll('_', '')) });
      case 'lparen': {
        const pipeline = this.#pipeline('parenthesized pipeline', 'rparen');
        this.#next();
        return finish({ kind: 'pipeline', pipeline, path: fields() });
      }
      case 'identifier':
        if (token.text === 'true' || token.text === 'false')
          return finish({ kind: 'literal', value: token.text === 'true' });
        if (token.text === 'nil') return finish({ kind: 'literal', value: null });
        if (keywords.has(token.text)) this.#unexpected(token, context);
        if (!this.#functions.has(token.text)) this.#fail(`function ${JSON.stringify(token.text)} not defined`, token);
        return finish({ kind: 'function', name: token.text });
      default:
        return this.#unexpected(token, 'operand');
    }
  }
}

/** Reads a template in the language of Go's text/template. Throws {@link TemplateParseError} with Go's texts. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): ParsedTemplate {
  const parser = new Parser(source, functions);
  const { nodes } = parser.list(false);
  return { source, root: nodes, defined: parser.defined };
}
