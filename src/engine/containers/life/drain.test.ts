import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countInbound } from './drain.ts';

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, peer: string, state: string) => `   0: ${local} ${peer} ${state} 00000000:00000000 00:0`;

test('connections to ports that are listened on count, those that are over, outgoing or from inside do not', () => {
  const table = [
    header,
    row('00000000:1F90', '00000000:0000', '0A'),
    row('020011AC:1F90', '010011AC:D431', '01'),
    row('020011AC:1F90', '010011AC:D432', '08'),
    row('020011AC:1F90', '010011AC:D433', '06'),
    row('0100007F:1F90', '0100007F:D434', '01'),
    row('020011AC:D435', '010011AC:01BB', '01'),
    row('0000000000000000FFFF0000020011AC:1F90', '0000000000000000FFFF0000010011AC:D436', '01'),
    row('0000000000000000FFFF00000100007F:1F90', '0000000000000000FFFF00000100007F:D437', '01'),
  ].join('\n');
  assert.equal(countInbound(table), 3);
});

test('nothing counts where nobody listens', () => {
  assert.equal(countInbound(`${header}\n${row('020011AC:1F90', '010011AC:D431', '01')}`), 0);
});
