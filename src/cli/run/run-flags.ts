import { flagTable } from '../flags/index.ts';
import { limitFlags } from './limit-flags.ts';

/** Flags of `create` and `run` alike. */
export const containerFlags = [
  ...limitFlags,
  ...flagTable(`
      --add-host list                    Add a line to /etc/hosts (host:ip)
      --annotation map                   Add an annotation for the OCI runtime (default map[])
  -a, --attach list                      Attach to STDIN, STDOUT or STDERR
      --blkio-weight-device list         Relative weight of block IO on a device (default [])
      --cap-add list                     Add Linux capabilities
      --cap-drop list                    Drop Linux capabilities
      --cgroup-parent string             Parent cgroup of the container
      --cgroupns string                  Cgroup namespace to use (host|private)
      --cidfile string                   Write the container ID to the file
      --cpu-count int                    !
      --cpu-percent int                  !
      --device list                      Add a host device to the container
      --device-cgroup-rule list          Add a rule to the list of devices allowed
      --device-read-bps list             Limit the bytes a second read from a device (default [])
      --device-read-iops list            Limit the reads a second from a device (default [])
      --device-write-bps list            Limit the bytes a second written to a device (default [])
      --device-write-iops list           Limit the writes a second to a device (default [])
      --disable-content-trust            Skip image verification (default true)
      --dns list                         Set DNS servers
      --dns-opt list                     !=dns-option
      --dns-option list                  Set DNS options
      --dns-search list                  Set DNS search domains
      --domainname string                NIS domain name of the container
      --entrypoint string                Run this in place of the image's ENTRYPOINT
  -e, --env list                         Set environment variables
      --env-file list                    Read environment variables from a file
      --expose list                      Expose a port or a range of ports
      --gpus gpu-request                 GPU devices for the container ('all' for all)
      --group-add list                   Join further groups
      --health-cmd string                Command that checks health
      --health-http string               Check health by HTTP, PORT[/PATH], from outside the container
      --health-tcp string                Check health by connecting to PORT, from outside the container
      --health-interval duration         Time between two checks (ms|s|m|h) (default 0s)
      --health-retries int               Failures in a row that make the container unhealthy
      --health-start-interval duration   Time between two checks during the start period (ms|s|m|h) (default 0s)
      --health-start-period duration     Time to start up before failures count (ms|s|m|h) (default 0s)
      --health-timeout duration          Longest time that one check may take (ms|s|m|h) (default 0s)
      --help                             Print usage
  -h, --hostname string                  Host name of the container
      --init                             Run an init inside that forwards signals and reaps processes
  -i, --interactive                      Keep STDIN open even if not attached
      --io-maxbandwidth bytes            !
      --io-maxiops uint                  !
      --ip string                        IPv4 address (e.g., 172.30.100.104)
      --ip6 string                       IPv6 address (e.g., 2001:db8::33)
      --ipc string                       IPC mode to use
      --isolation string                 Isolation technology
      --kernel-memory bytes              Kernel memory limit
  -l, --label list                       Set a label on the container
      --label-file list                  Read labels from a file, one a line
      --link list                        Add a link to another container
      --link-local-ip list               Link-local addresses of the container
      --log-driver string                Logging driver of the container
      --log-opt list                     Options of the logging driver
      --mac-address string               MAC address (e.g., 92:d0:c6:0a:29:33)
      --memory-swappiness int            Tendency to swap (0 to 100) (default -1)
      --mount mount                      Attach a filesystem mount to the container
      --name string                      Name of the container
      --net network                      !=network
      --net-alias list                   !=network-alias
      --network network                  Connect the container to a network
      --network-alias list               Add a name for the container on its network
      --no-healthcheck                   Run no HEALTHCHECK, whatever the image says
      --oom-kill-disable                 Disable the OOM killer
      --oom-score-adj int                Adjust the host's OOM preferences (-1000 to 1000)
      --pid string                       PID namespace to use
      --platform string                  Platform of the image, where it has several
      --privileged                       Give extended privileges to the container
  -p, --publish list                     Publish a port of the container on the host
  -P, --publish-all                      Publish all exposed ports on random ports
      --pull string                      Pull the image first ("always", "missing", "never") (default "missing")
  -q, --quiet                            Do not show the pull's output
      --read-only                        Mount the root filesystem read only
      --restart string                   When to restart the container after it exits (default "no")
      --rm                               Remove the container and its anonymous volumes when it exits
      --runtime string                   OCI runtime to use
      --security-opt list                Security options
      --shm-size bytes                   Size of /dev/shm
      --stop-signal string               Signal that stops the container
      --stop-timeout int                 Seconds until a stopping container is killed
      --storage-opt list                 Options of the storage driver for the container
      --sysctl map                       Set a kernel parameter (default map[])
      --tmpfs list                       Mount a tmpfs directory
  -t, --tty                              Allocate a pseudo-TTY
      --ulimit ulimit                    Set a ulimit (default [])
      --use-api-socket                   !
  -u, --user string                      User name or UID (<name|uid>[:<group|gid>])
      --userns string                    User namespace to use
      --uts string                       UTS namespace to use
  -v, --volume list                      Bind mount a directory or a volume
      --volume-driver string             Volume driver of the container
      --volumes-from list                Mount the volumes of other containers
  -w, --workdir string                   Working directory inside the container
`).filter((flag) => flag.name !== 'help'),
];

/** Flags that only `run` has. */
export const runOnlyFlags = flagTable(`
  -d, --detach               Run in the background and print the container ID
      --detach-keys string   Keys that detach from the container
      --sig-proxy            Pass signals on to the process (default true)
`);
