/** One question of a client, in the order asked. */
export interface RecordedCall {
  readonly path: string;
  /** Which build it belongs to, where it is a call of the gateway. */
  readonly build?: string;
  /** The message, base64. */
  readonly message: string;
}

/**
 * What `docker buildx build` (0.29.1) asked of this engine: a build of nothing to learn what the engine can, then one
 * with --build-arg X=1 --label l=1 --network none --add-host h:1.2.3.4 --secret id=s --build-context nc=DIRECTORY
 * --build-context im=docker-image://busybox --shm-size 64m --platform linux/amd64 --cache-to type=inline -t bkc:y -t bkc:z.
 */
export const buildxDialogue: readonly RecordedCall[] = [
  { path: '/moby.buildkit.v1.Control/ListWorkers', message: '' },
  { path: '/moby.buildkit.v1.Control/ListWorkers', message: '' },
  { path: '/moby.buildkit.v1.Control/Status', message: 'ChlkNzBueTdqeHk5Y3o1aG9pZDMzY2NvNjF4' },
  {
    path: '/moby.buildkit.v1.Control/Solve',
    message: 'ChlkNzBueTdqeHk5Y3o1aG9pZDMzY2NvNjF4Khkxd3pxNDJqZHJjcDFhbGFtMW5ka3lsNWh0QgBYAQ==',
  },
  { path: '/moby.buildkit.v1.frontend.LLBBridge/Ping', build: 'd70ny7jxy9cz5hoid33cco61x', message: '' },
  { path: '/moby.buildkit.v1.frontend.LLBBridge/Return', build: 'd70ny7jxy9cz5hoid33cco61x', message: 'CgIaAA==' },
  { path: '/moby.buildkit.v1.Control/ListWorkers', message: '' },
  { path: '/moby.buildkit.v1.Control/Status', message: 'Chl1ZmZheDBpcnZxcHZ3MGNwZGJoaHMzajV0' },
  {
    path: '/moby.buildkit.v1.Control/Solve',
    message:
      'Chl1ZmZheDBpcnZxcHZ3MGNwZGJoaHMzajV0GgRtb2J5IhMKBG5hbWUSC2JrYzp5LGJrYzp6KhlpY3ExZzBoazBybWV6NHY3ZDBzbndwd3UwOhsKCGZpbGVuYW1lEg9Eb2NrZXJmaWxlLm9wdHM6EAoLYnVpbGQtYXJnOlgSATE6FgoJYWRkLWhvc3RzEgloPTEuMi4zLjQ6GgoSZm9yY2UtbmV0d29yay1tb2RlEgRub25lOiQKCmNvbnRleHQ6aW0SFmRvY2tlci1pbWFnZTovL2J1c3lib3g6FgoKY29udGV4dDpuYxIIbG9jYWw6bmM6DAoHbGFiZWw6bBIBMToUCghzaG0tc2l6ZRIINjcxMDg4NjQ6FwoIcGxhdGZvcm0SC2xpbnV4L2FtZDY0OhsKEmltYWdlLXJlc29sdmUtbW9kZRIFbG9jYWw6OAoNZnJvbnRlbmQuY2FwcxInbW9ieS5idWlsZGtpdC5mcm9udGVuZC5jb250ZXh0cytmb3J3YXJkQgoiCAoGaW5saW5lahsKBG1vYnkSEwoEbmFtZRILYmtjOnksYmtjOno=',
  },
  { path: '/moby.buildkit.v1.frontend.LLBBridge/Ping', build: 'uffax0irvqpvw0cpdbhhs3j5t', message: '' },
  {
    path: '/moby.buildkit.v1.frontend.LLBBridge/Solve',
    build: 'uffax0irvqpvw0cpdbhhs3j5t',
    message:
      'Eg1kb2NrZXJmaWxlLnYwGhAKC2J1aWxkLWFyZzpYEgExGhYKCWFkZC1ob3N0cxIJaD0xLjIuMy40GhoKEmZvcmNlLW5ldHdvcmstbW9kZRIEbm9uZRokCgpjb250ZXh0OmltEhZkb2NrZXItaW1hZ2U6Ly9idXN5Ym94GhYKCmNvbnRleHQ6bmMSCGxvY2FsOm5jGgwKB2xhYmVsOmwSATEaFAoIc2htLXNpemUSCDY3MTA4ODY0GhcKCHBsYXRmb3JtEgtsaW51eC9hbWQ2NBobChJpbWFnZS1yZXNvbHZlLW1vZGUSBWxvY2FsGjgKDWZyb250ZW5kLmNhcHMSJ21vYnkuYnVpbGRraXQuZnJvbnRlbmQuY29udGV4dHMrZm9yd2FyZBobCghmaWxlbmFtZRIPRG9ja2VyZmlsZS5vcHRzKAEwAQ==',
  },
  {
    path: '/moby.buildkit.v1.frontend.LLBBridge/Return',
    build: 'uffax0irvqpvw0cpdbhhs3j5t',
    message:
      'CrgCGrUCChlkYzkzNDhmZmI3ODg0ZGZjNDIxOGRmYTc1EpcCCiwaKgooYmVydGgtcmVzdWx0Oi8vZGM5MzQ4ZmZiNzg4NGRmYzQyMThkZmE3NQpNCksKR3NoYTI1NjpmMzk3NWE5NTJiMjlhNjQwNTU3ZTYwMzk4YmYzMmQ5MDQ3MzEyMTI1NGUwNjZhOTQxMTRhZjRiZDg5YzczNTY2EAASSwpHc2hhMjU2OmMwZDIxMTY2NjNkOWQ4NjE4ODI5NmEwMGJhOWE4NGNlNWVkYTVjMGU0ODNlN2UyM2U2ZGFmNTZlYTlhYjI3NWMSABJLCkdzaGEyNTY6ZjM5NzVhOTUyYjI5YTY0MDU1N2U2MDM5OGJmMzJkOTA0NzMxMjEyNTRlMDY2YTk0MTE0YWY0YmQ4OWM3MzU2NhIA',
  },
  {
    path: '/moby.buildkit.v1.Control/ListenBuildHistory',
    message: 'CAESH2J1aWxkeC10ZXN0LWhpc3RvcnktYXBpLWZlYXR1cmUYAQ==',
  },
];
