import { isUtf8 } from 'node:buffer';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, notFound, type UndoStack } from '#base';
import { mountMemory } from '#host';
import type { RuntimeMount } from '#oci';
import type { RunOperation, SecretMount } from '../graph/operation.ts';
import { AgentSocket, type Connect } from './agent-socket.ts';
import type { BuildSession } from './build-session.ts';
import type { WorkingTree } from './working-tree.ts';

/** What a step is lent: it sees it, and nobody after it. */
export interface Lent {
  readonly mounts: readonly RuntimeMount[];
  /** Secrets as variables; empty values stand for optional ones that the client does not have. */
  readonly env: ReadonlyMap<string, string>;
  /** Where the step's container must be kept, so that no variable is written to a disk; undefined: anywhere. */
  readonly execRoot: string | undefined;
}

/** What a RUN lends from. */
export interface LendingContext {
  readonly session: BuildSession;
  readonly operation: RunOperation;
  readonly signal: AbortSignal;
}

/** Most bytes of one secret, as BuildKit's clients have it. */
const mostSecretBytes = 500 * 1024;

/** Room for what the container runtime writes, and what files round up to. */
const runtimeBytes = 16 << 20;
const pageBytes = 4096;

const secretOptions = ['bind', 'ro', 'nosuid', 'nodev', 'noexec', 'rprivate'];

/**
 * Asks the client for the secrets and agents of a RUN and lays them out on a tmpfs of the step's own; `cleanup` takes it
 * away. Optional ones that the client does not have are left out. Throws `not-found` for required ones, with BuildKit's
 * texts, and `invalid` for a secret that is too large or cannot be a variable.
 */
export async function lendToStep(context: LendingContext, tree: WorkingTree, cleanup: UndoStack): Promise<Lent> {
  const { secrets, agents } = context.operation;
  if (secrets.length + agents.length === 0) return { mounts: [], env: new Map(), execRoot: undefined };
  const values = await secretValues(context);
  const held = await heldAgents(context);
  const env = variables(secrets, values);
  const memory = join(tree.directory, 'lent');
  const { mounts: machine } = context.session.services;
  await mkdir(memory, { mode: 0o700 });
  await mountMemory(machine, memory, { size: spaceFor(secrets, values) });
  cleanup.push(() => machine.unmount(memory, { detach: true }));
  const mounts: RuntimeMount[] = [];
  for (const [index, secret] of secrets.entries()) {
    const value = values.get(secret.id);
    if (value === undefined || secret.target === undefined) continue;
    const source = join(memory, `secret-${index}`);
    await writeFile(source, value, { mode: 0o600 });
    await give(source, secret);
    mounts.push({ destination: secret.target, type: 'bind', source, options: secretOptions });
  }
  for (const [index, agent] of agents.entries()) {
    const connect = held.get(agent.id);
    if (connect === undefined) continue;
    const source = join(memory, `agent-${index}`);
    const socket = await AgentSocket.listen(source, connect);
    cleanup.push(() => socket.close());
    await give(source, agent);
    mounts.push({ destination: agent.target, type: 'bind', source, options: ['bind', 'rprivate'] });
  }
  return { mounts, env, execRoot: env.size === 0 ? undefined : memory };
}

/** By id; those that the client does not have are left out. Each is asked for once. */
async function secretValues({ session, operation, signal }: LendingContext): Promise<Map<string, Uint8Array>> {
  const { secrets } = session.request;
  const values = new Map<string, Uint8Array>();
  const required = new Map<string, boolean>();
  for (const { id, required: must } of operation.secrets) required.set(id, must || (required.get(id) ?? false));
  for (const [id, must] of required) {
    const value = await secrets?.get(id, signal);
    if (value === undefined) {
      if (must) throw notFound(`secret ${id}: not found${secrets ? '' : noSession('secrets')}`);
      continue;
    }
    if (value.length > mostSecretBytes) throw invalid(`secret ${id} too big. max size ${mostSecretBytes / 1024}KiB`);
    values.set(id, value);
  }
  return values;
}

/** How to connect to each agent that the client has. */
async function heldAgents({ session, operation, signal }: LendingContext): Promise<Map<string, Connect>> {
  const { agents } = session.request;
  const held = new Map<string, Connect>();
  for (const { id, required } of operation.agents) {
    if (held.has(id)) continue;
    if (agents && (await agents.has(id, signal))) held.set(id, (ended) => agents.connect(id, ended));
    else if (required) throw notFound(`unset ssh forward key ${id}${agents ? '' : noSession('ssh agents')}`);
  }
  return held;
}

function noSession(things: string): string {
  return `: the client of this build gives no ${things}; build with one that opens a BuildKit session`;
}

/** A variable whose optional secret is missing is there and empty, as with BuildKit. */
function variables(secrets: readonly SecretMount[], values: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  const env = new Map<string, string>();
  for (const { id, env: name } of secrets) {
    if (name === undefined) continue;
    const value = Buffer.from(values.get(id) ?? []);
    if (value.includes(0) || !isUtf8(value)) {
      throw invalid(`secret ${id} is not text, so it cannot be the variable ${name}: mount it as a file`);
    }
    env.set(name, value.toString());
  }
  return env;
}

function spaceFor(secrets: readonly SecretMount[], values: ReadonlyMap<string, Uint8Array>): number {
  const sizes = secrets.map(({ id }) => Math.ceil((values.get(id)?.length ?? 0) / pageBytes) * pageBytes);
  return sizes.reduce((sum, size) => sum + size, runtimeBytes);
}

async function give(path: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): Promise<void> {
  await chown(path, uid, gid);
  await chmod(path, mode);
}
