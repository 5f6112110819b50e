import type { HelperSpec } from './api.ts';

/** The body of `POST /containers/create` for a helper. */
export function helperRequest(spec: HelperSpec) {
  return {
    name: spec.name,
    Image: spec.imageId,
    Entrypoint: [...spec.argv],
    Cmd: [],
    User: spec.user ?? '',
    WorkingDir: '/',
    Labels: { ...spec.labels },
    Healthcheck: { Test: ['NONE'] },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      Init: true,
      NetworkMode: spec.network,
      UsernsMode: spec.usernsMode,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: [...spec.capabilities],
      SecurityOpt: ['no-new-privileges', 'label=disable'],
      PidsLimit: 256,
      Memory: spec.memoryBytes,
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      Tmpfs: Object.fromEntries(spec.tmpfs.map((path) => [path, 'size=64m,mode=1777'])),
      Mounts: [
        ...spec.mounts.map((mount) => ({
          Type: mount.type,
          Source: mount.source,
          Target: mount.target,
          ReadOnly: mount.readOnly,
          ...(mount.type === 'volume'
            ? {
                VolumeOptions: {
                  NoCopy: true,
                  Labels: {},
                  DriverConfig: {} as never,
                  ...(mount.subpath ? { Subpath: mount.subpath } : {}),
                },
              }
            : {}),
        })),
        ...(spec.scratchVolume === undefined ? [] : [scratchMount(spec.scratchVolume, spec.labels)]),
      ],
    },
  };
}

// --- utils ---

/** A volume of our own name at /tmp. It is filled from the image, so it takes over the folder's mode: open to any user. */
function scratchMount(name: string, labels: Readonly<Record<string, string>>) {
  return {
    Type: 'volume' as const,
    Source: name,
    Target: '/tmp',
    VolumeOptions: { NoCopy: false, Labels: { ...labels }, DriverConfig: {} as never },
  };
}
