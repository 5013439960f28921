/** How one create option is proved: what is asked, and where its effect shows. */
export interface OptionCase {
  /** Parts of the create request beside Image and Cmd. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly host?: Readonly<Record<string, unknown>>;
  /** Shell run in the container; its output must match `expect`. */
  readonly inside?: string;
  /** Where inspect shows it (`HostConfig.AutoRemove`), when nothing inside can; the JSON must match `expect`. */
  readonly inspect?: string;
  /** Create or start is refused with this. */
  readonly refused?: RegExp;
  readonly expect?: RegExp;
}

const mega = 1 << 20;
const cgroup = (v1: string, v2: string) => `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`;
const [disk] = ['/dev/vda', '/dev/sda', '/dev/nvme0n1'];
const throttle = (file: string, key: string) => ({
  host: { [key]: [{ Path: disk, Rate: mega }] },
  inside: cgroup(`blkio/blkio.throttle.${file}`, 'io.max'),
  expect: /1048576/,
});

/** By part of the request and option, as in surface.json. */
export const optionCases: Readonly<Record<string, Readonly<Record<string, OptionCase>>>> = {
  Config: {
    ArgsEscaped: { config: { ArgsEscaped: true }, inside: 'echo taken', expect: /taken/ },
    AttachStderr: { config: { AttachStderr: true }, inspect: 'Config.AttachStderr', expect: /true/ },
    AttachStdin: { config: { AttachStdin: true }, inspect: 'Config.AttachStdin', expect: /true/ },
    AttachStdout: { config: { AttachStdout: true }, inspect: 'Config.AttachStdout', expect: /true/ },
    Cmd: { inside: 'echo by-cmd', expect: /by-cmd/ },
    Domainname: { config: { Domainname: 'dom.test' }, inside: 'cat /proc/sys/kernel/domainname', expect: /dom\.test/ },
    Entrypoint: { config: { Entrypoint: ['echo', 'entry'] }, inside: 'x', expect: /entry sh -c x/ },
    Env: { config: { Env: ['PARITY=1'] }, inside: 'env', expect: /PARITY=1/ },
    ExposedPorts: { config: { ExposedPorts: { '81/tcp': {} } }, inspect: 'Config.ExposedPorts', expect: /81\/tcp/ },
    Healthcheck: {
      config: { Healthcheck: { Test: ['CMD', 'true'] } },
      inspect: 'State.Health.Status',
      expect: /starting/,
    },
    Hostname: { config: { Hostname: 'parity' }, inside: 'hostname', expect: /^parity/m },
    Image: { inside: 'ls /bin/busybox', expect: /busybox/ },
    Labels: { config: { Labels: { a: 'b' } }, inspect: 'Config.Labels', expect: /"a":"b"/ },
    MacAddress: {
      config: { MacAddress: '02:42:00:00:00:77' },
      inside: 'cat /sys/class/net/eth0/address',
      expect: /00:77/,
    },
    NetworkDisabled: { config: { NetworkDisabled: true }, inside: 'ip -o link | wc -l', expect: /^1/m },
    OnBuild: { config: { OnBuild: ['RUN x'] }, inspect: 'Config.OnBuild', expect: /RUN x/ },
    OpenStdin: { config: { OpenStdin: true }, inside: 'readlink /proc/self/fd/0', expect: /pipe/ },
    Shell: { config: { Shell: ['/bin/ash'] }, inspect: 'Config.Shell', expect: /ash/ },
    StdinOnce: { config: { StdinOnce: true }, inspect: 'Config.StdinOnce', expect: /true/ },
    StopSignal: { config: { StopSignal: 'SIGQUIT' }, inspect: 'Config.StopSignal', expect: /SIGQUIT/ },
    StopTimeout: { config: { StopTimeout: 3 }, inspect: 'Config.StopTimeout', expect: /3/ },
    Tty: { config: { Tty: true }, inside: 'test -t 1 && echo terminal', expect: /terminal/ },
    User: { config: { User: '7:8' }, inside: 'id', expect: /uid=7.*gid=8/ },
    Volumes: { config: { Volumes: { '/vol': {} } }, inside: 'grep " /vol " /proc/mounts', expect: /\/vol/ },
    WorkingDir: { config: { WorkingDir: '/work/dir' }, inside: 'pwd', expect: /\/work\/dir/ },
  },
  HostConfig: {
    Annotations: { host: { Annotations: { a: 'b' } }, inspect: 'HostConfig.Annotations', expect: /"a":"b"/ },
    AutoRemove: { host: { AutoRemove: true }, inspect: 'HostConfig.AutoRemove', expect: /true/ },
    Binds: { host: { Binds: ['/etc/hostname:/bound:ro'] }, inside: 'grep " /bound " /proc/mounts', expect: /ro/ },
    BlkioDeviceReadBps: throttle('read_bps_device', 'BlkioDeviceReadBps'),
    BlkioDeviceReadIOps: throttle('read_iops_device', 'BlkioDeviceReadIOps'),
    BlkioDeviceWriteBps: throttle('write_bps_device', 'BlkioDeviceWriteBps'),
    BlkioDeviceWriteIOps: throttle('write_iops_device', 'BlkioDeviceWriteIOps'),
    BlkioWeight: { host: { BlkioWeight: 300 }, inspect: 'HostConfig.BlkioWeight', expect: /300/ },
    BlkioWeightDevice: {
      host: { BlkioWeightDevice: [{ Path: disk, Weight: 200 }] },
      inspect: 'HostConfig.BlkioWeightDevice',
      expect: /200/,
    },
    CapAdd: { host: { CapAdd: ['NET_ADMIN'] }, inside: 'grep CapEff /proc/self/status', expect: /a80435fb/ },
    CapDrop: { host: { CapDrop: ['ALL'] }, inside: 'grep CapEff /proc/self/status', expect: /0000000000000000/ },
    Cgroup: { host: { Cgroup: '' }, inspect: 'HostConfig.Cgroup', expect: /""/ },
    CgroupParent: {
      host: { CgroupParent: '/berth-parity', CgroupnsMode: 'host' },
      inside: 'cat /proc/self/cgroup',
      expect: /berth-parity/,
    },
    CgroupnsMode: { host: { CgroupnsMode: 'private' }, inside: 'cat /proc/self/cgroup', expect: /:\/$/m },
    ConsoleSize: { config: { Tty: true }, host: { ConsoleSize: [11, 22] }, inside: 'stty size', expect: /11 22/ },
    ContainerIDFile: { host: { ContainerIDFile: '/x' }, inspect: 'HostConfig.ContainerIDFile', expect: /x/ },
    CpuCount: { host: { CpuCount: 1 }, inspect: 'HostConfig.CpuCount', expect: /0/ },
    CpuPercent: { host: { CpuPercent: 1 }, inspect: 'HostConfig.CpuPercent', expect: /0/ },
    CpuPeriod: { host: { CpuPeriod: 50_000 }, inside: cgroup('cpu/cpu.cfs_period_us', 'cpu.max'), expect: /50000/ },
    CpuQuota: { host: { CpuQuota: 25_000 }, inside: cgroup('cpu/cpu.cfs_quota_us', 'cpu.max'), expect: /25000/ },
    CpuRealtimePeriod: {
      host: { CpuRealtimePeriod: 1_000_000 },
      inside: 'cat /sys/fs/cgroup/cpu/cpu.rt_period_us',
      expect: /1000000/,
    },
    CpuRealtimeRuntime: { host: { CpuRealtimeRuntime: 950_000 }, refused: /rt_runtime_us|realtime/i },
    CpuShares: { host: { CpuShares: 512 }, inside: cgroup('cpu/cpu.shares', 'cpu.weight'), expect: /512|20/ },
    CpusetCpus: { host: { CpusetCpus: '0' }, inside: 'grep Cpus_allowed_list /proc/self/status', expect: /\t0$/m },
    CpusetMems: { host: { CpusetMems: '0' }, inside: 'grep Mems_allowed_list /proc/self/status', expect: /\t0$/m },
    DeviceCgroupRules: {
      host: { DeviceCgroupRules: ['c 10:229 rwm'] },
      inside: 'mknod /f c 10 229 && echo made',
      expect: /made/,
    },
    DeviceRequests: {
      host: { DeviceRequests: [{ Driver: '', Count: -1, Capabilities: [['gpu']] }] },
      refused: /could not select device driver "" with capabilities: \[\[gpu\]\]/,
    },
    Devices: {
      host: { Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/zip', CgroupPermissions: 'rwm' }] },
      inside: 'ls -l /dev/zip',
      expect: /^c/m,
    },
    Dns: { host: { Dns: ['9.9.9.9'] }, inside: 'cat /etc/resolv.conf', expect: /9\.9\.9\.9/ },
    DnsOptions: { host: { DnsOptions: ['ndots:3'] }, inside: 'cat /etc/resolv.conf', expect: /ndots:3/ },
    DnsSearch: { host: { DnsSearch: ['ex.test'] }, inside: 'cat /etc/resolv.conf', expect: /ex\.test/ },
    ExtraHosts: { host: { ExtraHosts: ['extra:1.2.3.4'] }, inside: 'cat /etc/hosts', expect: /1\.2\.3\.4\s+extra/ },
    GroupAdd: { host: { GroupAdd: ['1234'] }, inside: 'id -G', expect: /1234/ },
    IOMaximumBandwidth: { host: { IOMaximumBandwidth: 1 }, inspect: 'HostConfig.IOMaximumBandwidth', expect: /0/ },
    IOMaximumIOps: { host: { IOMaximumIOps: 1 }, inspect: 'HostConfig.IOMaximumIOps', expect: /0/ },
    Init: { host: { Init: true }, inside: 'cat /proc/1/comm', expect: /docker-init/ },
    IpcMode: { host: { IpcMode: 'none' }, inside: 'ls -d /dev/shm 2>&1', expect: /No such file/ },
    Isolation: { host: { Isolation: 'hyperv' }, refused: /isolation/i },
    KernelMemory: { host: { KernelMemory: 32 * mega }, inside: 'echo taken', expect: /taken/ },
    Links: { host: { Links: ['parity-peer:other'] }, inside: 'cat /etc/hosts', expect: /other/ },
    LogConfig: { host: { LogConfig: { Type: 'gelf', Config: {} } }, refused: /gelf is not supported/ },
    MaskedPaths: { host: { MaskedPaths: ['/etc/passwd'] }, inside: 'wc -c < /etc/passwd', expect: /^0/m },
    Memory: {
      host: { Memory: 64 * mega },
      inside: cgroup('memory/memory.limit_in_bytes', 'memory.max'),
      expect: /67108864/,
    },
    MemoryReservation: {
      host: { MemoryReservation: 32 * mega },
      inside: cgroup('memory/memory.soft_limit_in_bytes', 'memory.low'),
      expect: /33554432/,
    },
    MemorySwap: {
      host: { Memory: 64 * mega, MemorySwap: 96 * mega },
      inside: cgroup('memory/memory.memsw.limit_in_bytes', 'memory.swap.max'),
      expect: /100663296|33554432/,
    },
    MemorySwappiness: {
      host: { MemorySwappiness: 7 },
      inside: 'cat /sys/fs/cgroup/memory/memory.swappiness',
      expect: /^7/m,
    },
    Mounts: {
      host: { Mounts: [{ Type: 'tmpfs', Target: '/mt' }] },
      inside: 'grep " /mt " /proc/mounts',
      expect: /tmpfs/,
    },
    NanoCpus: { host: { NanoCpus: 5e8 }, inside: cgroup('cpu/cpu.cfs_quota_us', 'cpu.max'), expect: /50000/ },
    NetworkMode: { host: { NetworkMode: 'none' }, inside: 'ip -o link | wc -l', expect: /^1/m },
    OomKillDisable: {
      host: { Memory: 64 * mega, OomKillDisable: true },
      inside: 'cat /sys/fs/cgroup/memory/memory.oom_control',
      expect: /oom_kill_disable 1/,
    },
    OomScoreAdj: { host: { OomScoreAdj: 321 }, inside: 'cat /proc/self/oom_score_adj', expect: /321/ },
    PidMode: { host: { PidMode: 'host' }, inside: 'test $$ -gt 1 && echo outside', expect: /outside/ },
    PidsLimit: { host: { PidsLimit: 50 }, inside: cgroup('pids/pids.max', 'pids.max'), expect: /^50/m },
    PortBindings: {
      host: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
      inspect: 'NetworkSettings.Ports',
      expect: /"HostPort":"\d+"/,
    },
    Privileged: { host: { Privileged: true }, inside: 'mount -t tmpfs x /tmp && echo mounted', expect: /mounted/ },
    PublishAllPorts: {
      config: { ExposedPorts: { '82/tcp': {} } },
      host: { PublishAllPorts: true },
      inspect: 'NetworkSettings.Ports',
      expect: /"HostPort":"\d+"/,
    },
    ReadonlyPaths: { host: { ReadonlyPaths: ['/etc'] }, inside: 'touch /etc/x 2>&1', expect: /Read-only/ },
    ReadonlyRootfs: { host: { ReadonlyRootfs: true }, inside: 'touch /x 2>&1', expect: /Read-only/ },
    RestartPolicy: {
      host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
      inspect: 'HostConfig.RestartPolicy',
      expect: /"MaximumRetryCount":2/,
    },
    Runtime: { host: { Runtime: 'nope' }, refused: /unknown or invalid runtime name: nope/ },
    SecurityOpt: {
      host: { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] },
      inside: 'cat /proc/self/status',
      expect: /NoNewPrivs:\t1\nSeccomp:\t0/,
    },
    ShmSize: { host: { ShmSize: 16 * mega }, inside: 'df -k /dev/shm', expect: /16384/ },
    StorageOpt: {
      host: { StorageOpt: { size: '32M' } },
      inside: 'df -m / | awk \'NR == 2 { print ($2 <= 32 ? "at most 32 MB" : $2) }\'',
      expect: /at most 32 MB/,
    },
    Sysctls: {
      host: { Sysctls: { 'net.core.somaxconn': '77' } },
      inside: 'cat /proc/sys/net/core/somaxconn',
      expect: /^77/m,
    },
    Tmpfs: { host: { Tmpfs: { '/tf': 'size=1m' } }, inside: 'grep " /tf " /proc/mounts', expect: /size=1024k/ },
    UTSMode: { host: { UTSMode: 'host' }, inspect: 'HostConfig.UTSMode', expect: /host/ },
    Ulimits: {
      host: { Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }] },
      inside: 'ulimit -n; ulimit -Hn',
      expect: /100\s+200/,
    },
    UsernsMode: { host: { UsernsMode: 'private' }, refused: /invalid .*user(ns| namespace)/i },
    VolumeDriver: { host: { VolumeDriver: 'nope', Binds: ['pv:/pv'] }, refused: /nope/ },
    VolumesFrom: { host: { VolumesFrom: ['parity-peer'] }, inside: 'grep " /shared " /proc/mounts', expect: /shared/ },
  },
};
