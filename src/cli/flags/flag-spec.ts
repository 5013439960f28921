/** How a flag's words become a value. `count of words`: a switch takes none, all others one. */
export type FlagKind =
  | 'bool'
  | 'int'
  | 'float'
  | 'string'
  | 'list'
  | 'strings'
  | 'map'
  | 'duration'
  | 'bytes'
  | 'decimal';

/** One flag of a command, as its help shows it. */
export interface FlagSpec {
  readonly name: string;
  readonly shorthand?: string;
  readonly kind: FlagKind;
  /** The word that stands for the value in the help (`list`, `bytes`, ...); empty for switches. */
  readonly typeWord: string;
  readonly text: string;
  /** Accepted but not shown. */
  readonly hidden: boolean;
  /** The flag that this one is another spelling of. */
  readonly aliasOf?: string;
}

const kinds: Readonly<Record<string, FlagKind>> = {
  int: 'int',
  int64: 'int',
  uint: 'int',
  uint16: 'int',
  uint32: 'int',
  float: 'float',
  string: 'string',
  command: 'string',
  list: 'list',
  stringArray: 'list',
  stringToString: 'map',
  map: 'list',
  filter: 'list',
  strings: 'strings',
  duration: 'duration',
  bytes: 'bytes',
  decimal: 'decimal',
  mount: 'list',
  network: 'list',
  ulimit: 'list',
  port: 'list',
  secret: 'list',
  'gpu-request': 'list',
};

/**
 * Reads a table of flags written as a help page writes it, one flag a line:
 *
 *     -a, --all             Containers that do not run too
 *         --format string   A Go template
 *
 * A text that begins with `!` hides the flag, `!=other` also makes it a spelling of `other`.
 */
export function flagTable(text: string): FlagSpec[] {
  const specs: FlagSpec[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(?:-(\w), )?--([\w-]+)(?: (\S+))?(?:\s{2,}(.*))?$/.exec(line);
    if (!match) {
      if (line.trim() !== '') throw new Error(`not a flag: ${line}`);
      continue;
    }
    const [, shorthand, name = '', typeWord = '', description = ''] = match;
    const kind = typeWord === '' ? 'bool' : kinds[typeWord];
    if (kind === undefined) throw new Error(`unknown type of flag: ${line}`);
    const aliasOf = /^!=(\S+)/.exec(description)?.[1];
    specs.push({
      name,
      ...(shorthand === undefined ? {} : { shorthand }),
      kind,
      typeWord,
      text: description.replace(/^!(=\S+\s*)?/, ''),
      hidden: description.startsWith('!'),
      ...(aliasOf === undefined ? {} : { aliasOf }),
    });
  }
  return specs;
}
