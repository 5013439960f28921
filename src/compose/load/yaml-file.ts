import {
  isAlias,
  isScalar,
  isSeq,
  isMap as isYamlMap,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
} from 'yaml';
import { composeError, type Position } from './compose-error.ts';
import type { Path, Tree, TreeMap } from './tree.ts';
import { resolvePlainScalar } from './yaml-scalar.ts';

/** One document of a YAML file. */
export interface YamlDocument {
  /** What it says, without the nodes tagged `!reset`. */
  value: Tree;
  /** Paths tagged `!reset` or `!override`: what earlier files say there is dropped before merging. */
  resets: Path[];
}

/** More nodes than any real file has: a file that reaches this by aliases alone is an attack. */
const maxAliasedNodes = 200_000;

type Anchors = Map<string, Node>;

/** A parsed Compose file; keeps the syntax tree so that a path can be found again for messages. */
export class YamlFile {
  readonly name: string;
  readonly documents: YamlDocument[];
  readonly #roots: Array<{ node: Node | null; anchors: Anchors }> = [];
  readonly #lines = new LineCounter();
  #aliased = 0;

  /** Parses `text`. `name` is the file's name in messages. Throws `invalid` with the line on a syntax error. */
  constructor(name: string, text: string) {
    this.name = name;
    const parsed = parseAllDocuments(text, {
      schema: 'failsafe',
      uniqueKeys: false,
      lineCounter: this.#lines,
      logLevel: 'silent',
      prettyErrors: false,
    });
    const documents = Array.isArray(parsed) ? parsed : [];
    this.documents = documents.flatMap((document) => {
      const error = document.errors[0];
      if (error) {
        const at = this.#position(error.pos[0]);
        throw composeError(`yaml: line ${at.line}: ${error.message}`, { at, cause: error });
      }
      if (document.contents === null) return [];
      const anchors: Anchors = new Map();
      this.#roots.push({ node: document.contents, anchors });
      const resets: Path[] = [];
      const value = this.#convert(document.contents, { path: [], resets, anchors, open: new Set(), copied: false });
      return value === undefined ? [] : [{ value, resets }];
    });
  }

  /** The place of the key or item at `path`, or of the nearest thing around it; `depth` is how many keys were found. */
  locate(path: Path): { at: Position; depth: number } | undefined {
    let best: { at: Position; depth: number } | undefined;
    for (const { node, anchors } of this.#roots) {
      const found = this.#find(node, path, anchors);
      if (found && (best === undefined || found.depth >= best.depth)) best = found;
    }
    return best;
  }

  #find(root: Node | null, path: Path, anchors: Anchors): { at: Position; depth: number } | undefined {
    let node = root;
    let offset = root?.range?.[0] ?? 0;
    let depth = 0;
    for (const key of path) {
      if (isAlias(node)) node = anchors.get(node.source) ?? null;
      if (isYamlMap(node)) {
        const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && item.key.source === key);
        if (pair === undefined) break;
        offset = (pair.key as Node).range?.[0] ?? offset;
        node = pair.value as Node | null;
      } else if (isSeq(node)) {
        const item = node.items[Number(key)] as Node | undefined;
        if (item === undefined) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      } else break;
      depth++;
    }
    return root ? { at: this.#position(offset), depth } : undefined;
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.name, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #convert(node: Node | null, state: ConvertState): Tree | undefined {
    if (node === null) return null;
    if (isAlias(node)) return this.#resolveAlias(node.source, node, state);
    if (state.copied && ++this.#aliased > maxAliasedNodes) {
      throw composeError('yaml: document contains excessive aliasing', { at: this.#position(node.range?.[0] ?? 0) });
    }
    if ('anchor' in node && node.anchor) state.anchors.set(node.anchor, node);
    const tag = node.tag;
    if (tag === '!reset' || tag === '!override') {
      state.resets.push(state.path);
      if (tag === '!reset') return undefined;
    }
    if (isScalar(node)) return this.#scalar(node);
    state.open.add(node);
    try {
      if (isSeq(node)) return this.#sequence(node.items as Array<Node | null>, state);
      if (isYamlMap(node)) return this.#mapping(node.items, state);
      return null;
    } finally {
      state.open.delete(node);
    }
  }

  #scalar(node: { value: unknown; type?: string | undefined; tag?: string | undefined }): Tree {
    const text = typeof node.value === 'string' ? node.value : '';
    const plain = node.type === undefined || node.type === 'PLAIN';
    return plain && !node.tag?.endsWith(':str') ? resolvePlainScalar(text) : text;
  }

  #sequence(items: Array<Node | null>, state: ConvertState): Tree[] {
    const list: Tree[] = [];
    for (const [index, item] of items.entries()) {
      const value = this.#convert(item, { ...state, path: [...state.path, String(index)] });
      if (value !== undefined) list.push(value);
    }
    return list;
  }

  #mapping(items: Pair[], state: ConvertState): TreeMap {
    const map: TreeMap = new Map();
    const seen = new Map<string, number>();
    const merges: Array<{ key: Node; value: Node | null }> = [];
    for (const pair of items) {
      const key = pair.key as Node | null;
      const at = this.#position(key?.range?.[0] ?? 0);
      const name = isScalar(key)
        ? String(key.value ?? '')
        : isAlias(key)
          ? this.#aliasText(key.source, state)
          : undefined;
      if (key === null || name === undefined) throw composeError('yaml: a mapping key must be a scalar', { at });
      if (name === '<<' && isScalar(key) && key.type === 'PLAIN') {
        merges.push({ key, value: pair.value as Node | null });
        continue;
      }
      const earlier = seen.get(name);
      if (earlier !== undefined) {
        const text = `line ${at.line}: mapping key "${name}" already defined at line ${earlier}`;
        throw composeError(`failed to parse ${this.name}: ${text}`, { at, path: [...state.path, name] });
      }
      seen.set(name, at.line);
      const value = this.#convert(pair.value as Node | null, { ...state, path: [...state.path, name] });
      if (value !== undefined) map.set(name, value);
    }
    for (const merge of merges) this.#merge(map, merge, state);
    return map;
  }

  /** Adds what `<<` refers to, keeping keys that are there: explicit keys win, then the first of several. */
  #merge(map: TreeMap, merge: { key: Node; value: Node | null }, state: ConvertState): void {
    const value = this.#convert(merge.value, state);
    const sources = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (!(source instanceof Map)) {
        const at = this.#position(merge.key.range?.[0] ?? 0);
        throw composeError('yaml: map merge requires map or sequence of maps as the value', { at, path: state.path });
      }
      for (const [key, entry] of source) if (!map.has(key)) map.set(key, entry);
    }
  }

  #aliasText(name: string, state: ConvertState): string | undefined {
    const target = state.anchors.get(name);
    return isScalar(target) ? String(target.value ?? '') : undefined;
  }

  #resolveAlias(name: string, node: Node, state: ConvertState): Tree | undefined {
    const at = this.#position(node.range?.[0] ?? 0);
    const target = state.anchors.get(name);
    if (target === undefined) {
      throw composeError(`yaml: unknown anchor '${name}' referenced`, { at, path: state.path });
    }
    if (state.open.has(target)) {
      throw composeError(`yaml: anchor '${name}' value contains itself`, { at, path: state.path });
    }
    return this.#convert(target, { ...state, copied: true });
  }
}

interface ConvertState {
  path: Path;
  resets: Path[];
  anchors: Anchors;
  /** Collections being converted, to notice one that contains itself. */
  open: Set<Node>;
  /** Below an alias: these nodes count against {@link maxAliasedNodes}. */
  copied: boolean;
}
