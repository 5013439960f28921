import { flagTable } from '../flags/index.ts';

/** Limits of a container that `create` and `run` set and `update` changes. */
export const limitFlags = flagTable(`
      --blkio-weight uint16        Relative weight of block IO, 10 to 1000, or 0 for none (default 0)
      --cpu-period int             Period of the CPU limit (CFS), in microseconds
      --cpu-quota int              CPU time allowed in each period (CFS), in microseconds
      --cpu-rt-period int          Period of the real-time CPU limit, in microseconds
      --cpu-rt-runtime int         Real-time CPU time allowed in each period, in microseconds
  -c, --cpu-shares int             CPU shares (relative weight)
      --cpus decimal               Number of CPUs
      --cpuset-cpus string         CPUs that may be used (0-3, 0,1)
      --cpuset-mems string         Memory nodes that may be used (0-3, 0,1)
  -m, --memory bytes               Memory limit
      --memory-reservation bytes   Memory soft limit
      --memory-swap bytes          Limit of memory plus swap: '-1' for unlimited swap
      --pids-limit int             Limit the number of processes (-1 for unlimited)
`);
