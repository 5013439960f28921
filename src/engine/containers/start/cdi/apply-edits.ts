import type { SpecInput } from '#runtime';
import { describeDevice } from '../devices.ts';
import type { CdiEdits } from './cdi-spec.ts';

/** The input with what the devices add. Throws `invalid` for a device node that the host does not have. */
export async function applyEdits(input: SpecInput, edits: readonly CdiEdits[]): Promise<SpecInput> {
  const nodes = await Promise.all(edits.flatMap(({ deviceNodes = [] }) => deviceNodes).map(deviceNode));
  const added = new Set(nodes.map(({ path }) => path));
  const mounts = edits.flatMap(({ mounts: list = [] }) =>
    list.map(({ hostPath, containerPath, type, options }) => ({
      destination: containerPath,
      source: hostPath,
      type: type ?? 'bind',
      options: options ?? ['rbind', 'rprivate'],
    })),
  );
  const hooks: Record<string, NonNullable<SpecInput['hooks']>[string]> = { ...input.hooks };
  for (const { hookName, path, args, env, timeout } of edits.flatMap(({ hooks: list = [] }) => list)) {
    const hook = {
      path,
      ...(args ? { args } : {}),
      ...(env ? { env } : {}),
      ...(timeout === undefined ? {} : { timeout }),
    };
    hooks[hookName] = [...(hooks[hookName] ?? []), hook];
  }
  const depth = (path: string) => path.split('/').filter(Boolean).length;
  return {
    ...input,
    process: {
      ...input.process,
      env: replaceVariables(
        input.process.env,
        edits.flatMap(({ env = [] }) => env),
      ),
      additionalGids: [
        ...new Set([...input.process.additionalGids, ...edits.flatMap(({ additionalGids = [] }) => additionalGids)]),
      ],
    },
    devices: [...input.devices.filter(({ path }) => !added.has(path)), ...nodes],
    // Outer before inner, whoever asked for them.
    mounts: [...input.mounts, ...mounts].sort((a, b) => depth(a.destination) - depth(b.destination)),
    hooks,
  };
}

type Node = NonNullable<CdiEdits['deviceNodes']>[number];

/** What the file leaves open is as it is on the host. */
async function deviceNode(node: Node): Promise<SpecInput['devices'][number]> {
  const { path, hostPath = path, permissions = 'rwm' } = node;
  const own = { fileMode: node.fileMode, uid: node.uid, gid: node.gid };
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  if (node.type !== undefined && node.type !== 'p' && node.major !== undefined && node.minor !== undefined) {
    return { path, type: node.type, major: node.major, minor: node.minor, ...given, access: permissions };
  }
  return { ...(await describeDevice(hostPath, path, permissions)), ...given };
}

/** A variable of the same name gives way, in place. */
function replaceVariables(env: readonly string[], more: readonly string[]): string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const byName = new Map(env.map((entry) => [nameOf(entry), entry]));
  for (const entry of more) byName.set(nameOf(entry), entry);
  return [...byName.values()];
}
