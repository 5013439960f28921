/** The text of a template cannot be read. `message` is Go's: `template: :1: unclosed action`. */
export class TemplateParseError extends Error {
  constructor(line: number, message: string) {
    super(`template: :${line}: ${message}`);
    this.name = 'TemplateParseError';
  }
}

/** A template failed on its data. `message` is Go's: `template: :1:2: executing "" at <.Foo>: ...`. */
export class TemplateExecError extends Error {
  constructor(where: { line: number; column: number; template: string; context: string }, message: string) {
    const context = where.context.length > 20 ? `${where.context.slice(0, 20)}...` : where.context;
    super(
      `template: :${where.line}:${where.column}: executing ${JSON.stringify(where.template)} at <${context}>: ${message}`,
    );
    this.name = 'TemplateExecError';
  }
}
