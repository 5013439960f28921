import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  forwardServers,
  parseResolvConf,
  renderCopiedResolvConf,
  renderHosts,
  renderInternalResolvConf,
} from './files.ts';

const host = parseResolvConf(
  '# a\nnameserver 127.0.0.53\nnameserver 10.1.1.1 # local\nsearch lan corp\noptions edns0\n',
);
const nothing = { servers: [], search: [], options: [] };

test('a hosts file has localhost, extra hosts and the own addresses with the full name first', () => {
  const text = renderHosts({
    hostname: 'web',
    domainname: 'example.org',
    addresses: ['172.18.0.2', 'fd00::2'],
    extraHosts: ['db:1.2.3.4', 'six=[fd00::9]'],
    links: [{ address: '172.17.0.3', names: ['alias', 'abc', 'name'] }],
  });
  assert.deepEqual(text.split('\n').slice(6), [
    '1.2.3.4\tdb',
    'fd00::9\tsix',
    '172.17.0.3\talias abc name',
    '172.18.0.2\tweb.example.org web',
    'fd00::2\tweb.example.org web',
    '',
  ]);
});

test('a copied resolv.conf leaves out servers that only the host reaches', () => {
  const text = renderCopiedResolvConf(host, nothing);
  assert.match(text, /^nameserver 10\.1\.1\.1\nsearch lan corp\noptions edns0$/m);
  assert.doesNotMatch(text, /127\.0\.0\.53/);
  assert.match(renderCopiedResolvConf({ ...host, servers: ['127.0.0.53'] }, nothing), /^nameserver 8\.8\.8\.8$/m);
  assert.match(renderCopiedResolvConf(host, nothing, true), /^nameserver 127\.0\.0\.53$/m);
});

test('settings of the user replace those of the host, and a dot takes the search list away', () => {
  const user = { servers: ['9.9.9.9'], search: ['.'], options: ['ndots:2'] };
  const text = renderInternalResolvConf(host, user, forwardServers(host, user));
  assert.match(text, /^nameserver 127\.0\.0\.11\noptions ndots:2\n\n/m);
  assert.match(
    text,
    /# ExtServers: \[9\.9\.9\.9\]\n# Overrides: \[nameservers search options\]\n# Option ndots from: override/,
  );
});

test('without wishes the internal resolver asks the host and sets ndots:0', () => {
  const text = renderInternalResolvConf(host, nothing, forwardServers(host, nothing));
  assert.match(text, /^options edns0 ndots:0$/m);
  assert.match(text, /# ExtServers: \[host\(127\.0\.0\.53\) host\(10\.1\.1\.1\)\]/);
});
