/** Where a node begins: an offset in the template's text. */
export interface Positioned {
  readonly at: number;
  /** The node as it was written. */
  readonly source: string;
}

/** An argument of a command. */
export type Operand = Positioned &
  (
    | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
    | { readonly kind: 'dot' }
    | { readonly kind: 'function'; readonly name: string }
    | { readonly kind: 'field'; readonly path: readonly string[] }
    | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
    | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] }
  );

/** `name arg arg`. */
export interface CommandNode extends Positioned {
  readonly operands: readonly Operand[];
}

/** `$x := command | command`. */
export interface Pipeline extends Positioned {
  /** Names of the variables set, with their `$`. */
  readonly variables: readonly string[];
  /** `=` rather than `:=`. */
  readonly assign: boolean;
  readonly commands: readonly CommandNode[];
}

/** A part of a template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'break' | 'continue' }
  | (Positioned & { readonly kind: 'template'; readonly name: string; readonly pipeline?: Pipeline });

/** A read template with the templates defined in it. */
export interface ParsedTemplate {
  readonly source: string;
  readonly root: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}
