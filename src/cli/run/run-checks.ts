import { isIP } from 'node:net';
import { invalid } from '#base';
import { readByteRate, readGpus, readOperationRate, readUlimit, readWeight } from './devices.ts';
import { readNetworkFlag } from './endpoints.ts';
import { readMountFlag } from './mount-flag.ts';
import { readNanoCpus } from './read-resources.ts';

function checkIp(word: string): void {
  if (isIP(word.trim()) === 0) throw invalid(`IP address is not correctly formatted: ${word}`);
}

/** Flags of `run` whose words are refused while the line is read, before anything else is looked at. */
export const runChecks: Readonly<Record<string, (word: string) => unknown>> = {
  mount: (word) => readMountFlag(word, '/'),
  network: readNetworkFlag,
  gpus: readGpus,
  ulimit: readUlimit,
  cpus: readNanoCpus,
  dns: checkIp,
  'blkio-weight-device': readWeight,
  'device-read-bps': readByteRate,
  'device-write-bps': readByteRate,
  'device-read-iops': readOperationRate,
  'device-write-iops': readOperationRate,
  env: (word) => {
    if (word === '' || word.startsWith('=')) throw invalid(`invalid environment variable: ${word}`);
  },
  'device-cgroup-rule': (word) => {
    if (!/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(word)) throw invalid(`invalid device cgroup format '${word}'`);
  },
  sysctl: (word) => {
    if (
      !/^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|net\.[^=]*|fs\.mqueue\.[^=]*)=/.test(
        word,
      )
    ) {
      throw invalid(`sysctl '${word}' is not allowed`);
    }
  },
  attach: (word) => {
    if (!['STDIN', 'STDOUT', 'STDERR'].includes(word.toUpperCase())) {
      throw invalid('valid streams are STDIN, STDOUT and STDERR');
    }
  },
};
