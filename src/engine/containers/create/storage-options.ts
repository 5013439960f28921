import { invalid, parseByteSize } from '#base';

/** What `--storage-opt` asks of a container's snapshot: `size` in bytes. Throws `invalid` naming option and value. */
export function storageOptions(options: Readonly<Record<string, string>>): { size?: number } {
  let size: number | undefined;
  for (const [name, value] of Object.entries(options)) {
    // The names of options are taken in any case, as Docker does.
    if (name.toLowerCase() !== 'size') throw invalid(`Unknown option ${name}`);
    size = parseByteSize(value);
  }
  return size === undefined ? {} : { size };
}
