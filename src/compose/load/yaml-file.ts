import { composeError, type Position } from './compose-error.ts';
import type { Path, Tree, TreeMap } from './tree.ts';
import { parseYamlNodes, positionAt, type ScalarNode, type YamlNode } from './yaml-node.ts';
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

type Anchors = Map<string, YamlNode>;

interface ConvertState {
  path: Path;
  resets: Path[];
  anchors: Anchors;
  /** Collections being converted, to notice one that contains itself. */
  open: Set<YamlNode>;
  /** Below an alias: these nodes count against {@link maxAliasedNodes}. */
  copied: boolean;
}

/** A parsed Compose file; keeps the syntax tree so that a path can be found again for messages. */
export class YamlFile {
  readonly name: string;
  readonly #text: string;
  readonly #roots: Array<{ node: YamlNode; anchors: Anchors }>;
  #documents: YamlDocument[] | undefined;
  #aliased = 0;

  /**
   * Parses `text`. `name` is the file's name in messages. Throws `invalid` with the line on a syntax error, which an
   * alias without its anchor is, too.
   */
  constructor(name: string, text: string) {
    this.name = name;
    this.#text = text;
    this.#roots = parseYamlNodes(name, text).map((node) => ({ node, anchors: new Map() }));
    for (const { node, anchors } of this.#roots) this.#collectAnchors(node, anchors);
  }

  /** Its documents, those that `!reset` empties left out. Throws `invalid` for a key that is there twice and the like. */
  get documents(): readonly YamlDocument[] {
    this.#documents ??= this.#roots.flatMap(({ node, anchors }) => {
      const resets: Path[] = [];
      const value = this.#convert(node, { path: [], resets, anchors, open: new Set(), copied: false });
      return value === undefined ? [] : [{ value, resets }];
    });
    return this.#documents;
  }

  /**
   * The text that the last document with a top-level `key` has there, found without looking at anything else, or
   * undefined. Throws `invalid` when it is no scalar.
   */
  topLevelText(key: string): string | undefined {
    let found: string | undefined;
    for (const { node } of this.#roots) {
      if (node.kind !== 'mapping') continue;
      const index = node.items.findIndex((item, i) => i % 2 === 0 && item.kind === 'scalar' && item.text === key);
      const value = index === -1 ? undefined : node.items[index + 1];
      if (value?.kind === 'sequence' || value?.kind === 'mapping') {
        const at = this.#position(value.start);
        const tag = value.kind === 'sequence' ? '!!seq' : '!!map';
        const message = `yaml: unmarshal errors:\n  line ${at.line}: cannot unmarshal ${tag} into string`;
        throw composeError(message, { at, path: [key] });
      }
      if (value?.kind !== 'scalar') continue;
      found = (value.plain && resolvePlainScalar(value.text) === null ? undefined : value.text) || found;
    }
    return found;
  }

  #collectAnchors(node: YamlNode, anchors: Anchors): void {
    if (node.kind === 'alias') {
      if (!anchors.has(node.name)) throw this.#unknownAnchor(node.name, node.start, []);
      return;
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (node.kind !== 'scalar') for (const item of node.items) this.#collectAnchors(item, anchors);
  }

  #unknownAnchor(name: string, start: number, path: Path): Error {
    return composeError(`yaml: unknown anchor '${name}' referenced`, { at: this.#position(start), path });
  }

  /** The place of the key or item at `path`, or of the nearest thing around it; `depth` is how many keys were found. */
  locate(path: Path): { at: Position; depth: number } | undefined {
    let best: { offset: number; depth: number } | undefined;
    for (const { node, anchors } of this.#roots) {
      const found = this.#find(node, path, anchors);
      if (best === undefined || found.depth >= best.depth) best = found;
    }
    return best && { at: this.#position(best.offset), depth: best.depth };
  }

  #find(root: YamlNode, path: Path, anchors: Anchors): { offset: number; depth: number } {
    let node: YamlNode | undefined = root;
    let offset = root.start;
    let depth = 0;
    for (const key of path) {
      if (node?.kind === 'alias') node = anchors.get(node.name);
      if (node?.kind === 'mapping') {
        const items: readonly YamlNode[] = node.items;
        const index = items.findIndex((item, i) => i % 2 === 0 && item.kind === 'scalar' && item.text === key);
        if (index === -1) break;
        offset = items[index]?.start ?? offset;
        node = items[index + 1];
      } else if (node?.kind === 'sequence') {
        const item: YamlNode | undefined = node.items[Number(key)];
        if (item === undefined) break;
        offset = item.start;
        node = item;
      } else break;
      depth++;
    }
    return { offset, depth };
  }

  #position(offset: number): Position {
    return positionAt(this.name, this.#text, offset);
  }

  #convert(node: YamlNode, state: ConvertState): Tree | undefined {
    if (node.kind === 'alias') return this.#resolveAlias(node.name, node, state);
    if (state.copied && ++this.#aliased > maxAliasedNodes) {
      throw composeError('yaml: document contains excessive aliasing', { at: this.#position(node.start) });
    }
    if (node.anchor !== undefined) state.anchors.set(node.anchor, node);
    if (node.tag === '!reset' || node.tag === '!override') {
      state.resets.push(state.path);
      if (node.tag === '!reset') return undefined;
    }
    if (node.kind === 'scalar') return this.#scalar(node);
    state.open.add(node);
    try {
      return node.kind === 'sequence' ? this.#sequence(node.items, state) : this.#mapping(node.items, state);
    } finally {
      state.open.delete(node);
    }
  }

  #scalar({ text, plain, tag }: ScalarNode): Tree {
    const isText = tag === '!!str' || tag === '!override';
    return plain && !isText ? resolvePlainScalar(text) : text;
  }

  #sequence(items: readonly YamlNode[], state: ConvertState): Tree[] {
    const list: Tree[] = [];
    for (const [index, item] of items.entries()) {
      const value = this.#convert(item, { ...state, path: [...state.path, String(index)] });
      if (value !== undefined) list.push(value);
    }
    return list;
  }

  #mapping(items: readonly YamlNode[], state: ConvertState): TreeMap {
    const map: TreeMap = new Map();
    const seen = new Map<string, YamlNode>();
    const merges: Array<{ key: YamlNode; value: YamlNode }> = [];
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (key === undefined || value === undefined) break;
      const name = this.#keyText(key, state);
      if (name === undefined) {
        throw composeError('yaml: a mapping key must be a scalar', { at: this.#position(key.start) });
      }
      if (name === '<<' && key.kind === 'scalar' && key.plain) {
        merges.push({ key, value });
        continue;
      }
      const earlier = seen.get(name);
      if (earlier !== undefined) throw this.#repeated(name, earlier, key);
      seen.set(name, key);
      const converted = this.#convert(value, { ...state, path: [...state.path, name] });
      if (converted !== undefined) map.set(name, converted);
    }
    for (const merge of merges) this.#merge(map, merge, state);
    return map;
  }

  #repeated(name: string, earlier: YamlNode, key: YamlNode): Error {
    const at = this.#position(key.start);
    const text = `line ${at.line}: mapping key "${name}" already defined at line ${this.#position(earlier.start).line}`;
    return composeError(`failed to parse ${this.name}: ${text}`, { at });
  }

  /** Adds what `<<` refers to, keeping keys that are there: explicit keys win, then the first of several. */
  #merge(map: TreeMap, merge: { key: YamlNode; value: YamlNode }, state: ConvertState): void {
    const value = this.#convert(merge.value, state);
    const sources = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (!(source instanceof Map)) {
        const at = this.#position(merge.key.start);
        throw composeError(
          `failed to parse ${this.name}: yaml: map merge requires map or sequence of maps as the value`,
          { at, path: state.path },
        );
      }
      for (const [key, entry] of source) if (!map.has(key)) map.set(key, entry);
    }
  }

  #keyText(key: YamlNode, state: ConvertState): string | undefined {
    const node = key.kind === 'alias' ? state.anchors.get(key.name) : key;
    return node?.kind === 'scalar' ? node.text : undefined;
  }

  #resolveAlias(name: string, node: YamlNode, state: ConvertState): Tree | undefined {
    const target = state.anchors.get(name);
    if (target === undefined) throw this.#unknownAnchor(name, node.start, state.path);
    if (state.open.has(target)) {
      const at = this.#position(node.start);
      throw composeError(`yaml: anchor '${name}' value contains itself`, { at, path: state.path });
    }
    return this.#convert(target, { ...state, copied: true });
  }
}
