import { invalid } from '#base';

/**
 * Throws `invalid` with Docker's text unless `name` can be a volume's: two characters or more, none of which could lead
 * out of the directory of volumes.
 */
export function checkVolumeName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw invalid(
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only ` +
        '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    );
  }
  if (name.length < 2) {
    throw invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  }
}
