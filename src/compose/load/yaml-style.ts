import { resolvePlainScalar } from './yaml-scalar.ts';

/** How a piece of text can be written. */
export type YamlStyle = 'plain' | 'single' | 'double' | 'literal';

/** Words that YAML 1.1 takes for booleans, and its numbers to the base of 60. */
const oldForms =
  /^(?:[yn]|yes|no|on|off|[yn]|Y|N|Yes|No|On|Off|YES|NO|ON|OFF|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?)$/;
const time = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\s*\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?\s*(?:Z|[-+]\d{1,2}(?::\d\d)?)?)?$/;
/** Text that needs no closer look. */
const simple = /^[A-Za-z/][\w/.+=$@-]*$/;
const lineBreak = /[\n\r\u0085\u2028\u2029]/;
/** What must be escaped: no break, and not in the ranges that the writer prints; tabs are looked at apart. */
const special = /[^\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const indicators =
  /^[#,[\]{}&*!|>'"%@`]|^[?:-](?:[\s\u0085\u2028\u2029]|$)|:(?:[\s\u0085\u2028\u2029]|$)|[\s\u0085\u2028\u2029]#|^---|^\.\.\./;

/** True for text that without quotes would be read as text, by old readers too. */
function readsAsText(text: string): boolean {
  return !oldForms.test(text) && !time.test(text) && typeof resolvePlainScalar(text) === 'string';
}

/**
 * The style in which Go's YAML writer puts `text` in a block: plain where that can be read back, else single quotes,
 * double quotes for what would be read as something else than text or needs escapes, and a literal block for lines.
 * `isKey`: a key of a mapping stays on one line.
 */
export function yamlStyle(text: string, isKey: boolean): YamlStyle {
  const lines = text.includes('\n');
  if (!lines) {
    if (!readsAsText(text)) return 'double';
    if (simple.test(text)) return 'plain';
  }
  const escapes = special.test(text) || / [\n\r\u0085\u2028\u2029]/.test(text);
  if (lines) return escapes || isKey || text.endsWith(' ') ? 'double' : 'literal';
  if (escapes || text.includes('\t') || /[\u0085\u2028\u2029] /.test(text)) return 'double';
  const plain = !/^ | $/.test(text) && !lineBreak.test(text) && !indicators.test(text);
  return plain ? 'plain' : 'single';
}
