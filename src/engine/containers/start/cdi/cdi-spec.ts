import { load } from 'js-yaml';
import { z } from 'zod';
import { invalid, messageOf } from '#base';

const absolute = z.string().startsWith('/');

const editsSchema = z.looseObject({
  env: z.array(z.string().regex(/^[^=]+=/)).optional(),
  deviceNodes: z
    .array(
      z.looseObject({
        path: absolute,
        hostPath: absolute.optional(),
        type: z.enum(['b', 'c', 'u', 'p']).optional(),
        major: z.number().int().optional(),
        minor: z.number().int().optional(),
        fileMode: z.number().int().optional(),
        permissions: z
          .string()
          .regex(/^[rwm]+$/)
          .optional(),
        uid: z.number().int().optional(),
        gid: z.number().int().optional(),
      }),
    )
    .optional(),
  mounts: z
    .array(
      z.looseObject({
        hostPath: z.string(),
        containerPath: absolute,
        type: z.string().optional(),
        options: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  hooks: z
    .array(
      z.looseObject({
        hookName: z.enum(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']),
        path: absolute,
        args: z.array(z.string()).optional(),
        env: z.array(z.string()).optional(),
        timeout: z.number().int().optional(),
      }),
    )
    .optional(),
  additionalGids: z.array(z.number().int().positive()).optional(),
});

const specSchema = z.looseObject({
  cdiVersion: z.string(),
  kind: z.string().regex(/^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*$/),
  devices: z.array(
    z.looseObject({ name: z.string().regex(/^[A-Za-z0-9][\w:.-]*$/), containerEdits: editsSchema.optional() }),
  ),
  containerEdits: editsSchema.optional(),
});

/** What a device changes in a container's spec (Container Device Interface 1.0, `containerEdits`). */
export type CdiEdits = z.output<typeof editsSchema>;

/** One file of a vendor: its kind (`vendor.com/class`), devices, and edits common to all of them. */
export type CdiSpec = z.output<typeof specSchema>;

/** Reads a CDI file, JSON or YAML. Throws `invalid` naming file and field. */
export function parseCdiSpec(text: string, path: string): CdiSpec {
  let value: unknown;
  try {
    value = path.endsWith('.json') ? JSON.parse(text) : load(text);
  } catch (error) {
    throw invalid(`CDI spec ${path}: ${messageOf(error)}`);
  }
  const result = specSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`CDI spec ${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}
