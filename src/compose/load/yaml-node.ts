import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { composeError, type Position } from './compose-error.ts';

interface NodeBase {
  /** Offset in the text. */
  start: number;
  anchor?: string;
  /** As written, such as `!reset`. */
  tag?: string;
}

/** A scalar; `plain` when it is not quoted and so may be more than text. */
export interface ScalarNode extends NodeBase {
  kind: 'scalar';
  text: string;
  plain: boolean;
}

/** A list. */
export interface SequenceNode extends NodeBase {
  kind: 'sequence';
  items: YamlNode[];
}

/** A mapping: keys and values in turn. */
export interface MappingNode extends NodeBase {
  kind: 'mapping';
  items: YamlNode[];
}

/** `*name`. */
export interface AliasNode {
  kind: 'alias';
  start: number;
  name: string;
}

/** A node of YAML's syntax tree. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode | AliasNode;

/** The line and column of an offset. */
export function positionAt(file: string, text: string, offset: number): Position {
  const before = text.slice(0, Math.max(offset, 0));
  const lineStart = before.lastIndexOf('\n') + 1;
  return { file, line: before.split('\n').length, column: before.length - lineStart + 1 };
}

function eventsOf(file: string, text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: 100 });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { line = 0, column = 0 } = error.mark ?? {};
    const at = { file, line: line + 1, column: column + 1 };
    throw composeError(`yaml: line ${at.line}: ${error.reason}`, { at, cause: error });
  }
}

/**
 * Parses `text` into the root nodes of its documents, those that are empty left out. `file` is named in messages.
 * Throws `invalid` with the line on a syntax error or when nesting is deeper than any real file's.
 */
export function parseYamlNodes(file: string, text: string): YamlNode[] {
  const source = text.replace(/^\uFEFF/, '');
  const roots: YamlNode[] = [];
  const open: Array<YamlNode[]> = [];
  let last = 0;
  const slice = (start: number, end: number) => (start < 0 ? undefined : source.slice(start, end));
  for (const event of eventsOf(file, source)) {
    if (event.type === EVENT_ID.POP) {
      open.pop();
      continue;
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      open.push(roots);
      continue;
    }
    const into = open.at(-1) ?? roots;
    if (event.type === EVENT_ID.ALIAS) {
      into.push({
        kind: 'alias',
        start: event.anchorStart - 1,
        name: source.slice(event.anchorStart, event.anchorEnd),
      });
      continue;
    }
    const anchor = slice(event.anchorStart, event.anchorEnd);
    const tag = slice(event.tagStart, event.tagEnd);
    const notes = { ...(anchor !== undefined && { anchor }), ...(tag !== undefined && { tag }) };
    if (event.type === EVENT_ID.SCALAR) {
      const empty = event.valueStart < 0;
      const start = empty ? last : event.valueStart;
      last = empty ? last : event.valueEnd;
      if (empty && into === roots) continue;
      const plain = event.style === SCALAR_STYLE.PLAIN;
      into.push({ kind: 'scalar', start, text: getScalarValue(source, event), plain, ...notes });
      continue;
    }
    const kind = event.type === EVENT_ID.SEQUENCE ? 'sequence' : 'mapping';
    const node: SequenceNode | MappingNode = { kind, start: event.start, items: [], ...notes };
    into.push(node);
    open.push(node.items);
  }
  return roots;
}
