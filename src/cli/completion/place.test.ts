import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesAt } from './place.ts';

test('a usage line says what each argument names', () => {
  const cases: [usage: string, places: string[]][] = [
    ['[OPTIONS] CONTAINER [CONTAINER...]', ['container', 'container', 'container']],
    ['[OPTIONS] IMAGE [COMMAND] [ARG...]', ['image', 'text', 'text', 'text']],
    ['[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-', ['container file', 'file', '']],
    ['[OPTIONS] NETWORK CONTAINER', ['network', 'container', '']],
    ['[OPTIONS] CONTAINER [REPOSITORY[:TAG]]', ['container', 'image']],
    ['SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]', ['image', 'text']],
    ['[OPTIONS] NAME[:TAG|@DIGEST]', ['image', '']],
    ['[OPTIONS] NAME|ID [NAME|ID...]', ['object', 'object']],
    ['[OPTIONS] PATH | URL | -', ['file', '']],
    ['[OPTIONS] [SERVICE...]', ['service', 'service']],
    ['[SERVICE=REPLICAS...]', ['service', 'service']],
    ['[OPTIONS]', ['']],
    ['', ['']],
  ];
  for (const [usage, places] of cases) {
    const found = places.map((_, index) => placesAt(usage, index).join(' '));
    assert.deepEqual(found, places, usage);
  }
});
