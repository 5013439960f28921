import { resolvePlainScalar } from './yaml-scalar.ts';

/** How a piece of text can be written. */
export type YamlStyle = 'plain' | 'single' | 'double' | 'literal';

/** Words that YAML 1.1 takes for booleans, and its numbers to the base of 60. */
const oldForms =
  /^(?:[yn]|yes|no|on|off|[yn]|Y|N|Yes|No|On|Off|YES|NO|ON|OFF|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?)$/;
const time = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\s*\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?\s*(?:Z|[-+]\d{1,2}(?::\d\d)?)?)?$/;
/** Text that needs no closer look. */
const simple = /^[A-Za-z/][\w/.+=$@-]*$/;
/** What must be escaped, tabs aside: what the writer does not print, and breaks that it would not read back. */
const special = /[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const indicators = /^[#,[\]{}&*!|>'"%@`]|^[?:-](?:[\s]|$)|:(?:[\s]|$)|[\s]#|^---|^\.\.\./;

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
  const escapes = special.test(text) || / \n/.test(text);
  if (lines) return escapes || isKey || text.endsWith(' ') ? 'double' : 'literal';
  if (escapes || text.includes('\t')) return 'double';
  const plain = !/^ | $/.test(text) && !indicators.test(text);
  return plain ? 'plain' : 'single';
}
