import { flagTable } from './flags/index.ts';

/** The flags before a command. */
export const globalFlags = flagTable(`
      --config string      Directory of config.json and contexts (default "~/.docker")
  -c, --context string     Context that names the daemon (overrides BERTH_HOST, DOCKER_HOST and the current context)
  -D, --debug              Say more when something fails
  -H, --host list          Address of the daemon
  -l, --log-level string   Level of messages ("debug", "info", "warn", "error", "fatal") (default "info")
      --tls                Use TLS; implied by --tlsverify
      --tlscacert string   Trust only certificates signed by this CA (default "~/.docker/ca.pem")
      --tlscert string     TLS certificate file (default "~/.docker/cert.pem")
      --tlskey string      TLS key file (default "~/.docker/key.pem")
      --tlsverify          Use TLS and verify the daemon
  -v, --version            Print version information and quit
`);
