import { invalid } from '#base';
import type { HostSettings } from '../container.ts';
import { CdiDevices, cdiDirectories } from './cdi/cdi-devices.ts';
import type { CdiEdits } from './cdi/cdi-spec.ts';

type DeviceRequest = HostSettings['deviceRequests'][number];

/** Kinds that stand for "a GPU" in vendors' CDI files, by `--gpus`' driver. */
const gpuKinds = [
  { driver: 'nvidia', kind: 'nvidia.com/gpu' },
  { driver: 'amd', kind: 'amd.com/gpu' },
];

/**
 * What `--device vendor/class=name` and `--gpus` add to a container, from the vendors' CDI files: there are no drivers
 * of our own. Throws `invalid` with Docker's text where no file describes the device.
 */
export async function deviceEdits(
  requests: readonly DeviceRequest[],
  directories: readonly string[] = cdiDirectories,
): Promise<CdiEdits[]> {
  if (requests.length === 0) return [];
  const known = await CdiDevices.read(directories);
  return known.edits(requests.flatMap((request) => cdiNames(request, known)));
}

function cdiNames(request: DeviceRequest, known: Pick<CdiDevices, 'has'>): readonly string[] {
  const { driver, count, deviceIds, capabilities, options } = request;
  if (driver === 'cdi') {
    if (count !== 0) throw invalid('unexpected count in CDI device request');
    if (Object.keys(options).length > 0) throw invalid('unexpected options in CDI device request');
    return deviceIds;
  }
  if (count !== 0 && deviceIds.length > 0) {
    throw invalid('cannot set both Count and DeviceIDs on device request');
  }
  const gpu = gpuKinds.find((one) => (driver === '' || driver === one.driver) && known.has(one.kind));
  if (gpu === undefined || !capabilities.some((set) => set.includes('gpu'))) {
    const wanted = capabilities.map((set) => `[${set.join(' ')}]`).join(' ');
    throw invalid(`could not select device driver "${driver}" with capabilities: [${wanted}]`);
  }
  if (deviceIds.length > 0) return deviceIds.map((id) => `${gpu.kind}=${id}`);
  if (count < 0) return [`${gpu.kind}=all`];
  return Array.from({ length: count }, (_, index) => `${gpu.kind}=${index}`);
}
