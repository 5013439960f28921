/** Version of docker compose whose labels and plans ours equal; told in the version label. */
export const composeVersion = '2.40.3';

/** Label names by which compose finds what belongs to a project; docker compose reads and writes the same. */
export const labels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  configHash: 'com.docker.compose.config-hash',
  number: 'com.docker.compose.container-number',
  oneOff: 'com.docker.compose.oneoff',
  slug: 'com.docker.compose.slug',
  configFiles: 'com.docker.compose.project.config_files',
  workingDir: 'com.docker.compose.project.working_dir',
  environmentFile: 'com.docker.compose.project.environment_file',
  dependsOn: 'com.docker.compose.depends_on',
  image: 'com.docker.compose.image',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
  version: 'com.docker.compose.version',
  /** Name of the container that this one takes the place of. */
  replace: 'com.docker.compose.replace',
} as const;
