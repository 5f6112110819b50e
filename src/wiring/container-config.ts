import type { ServiceChoice, SourceChoice } from '../config/service-settings.ts';
import type { Configured, ContainerConfig } from '../runs/source.ts';

/** What configuration says about a container, in the words of the runs. */
export function toContainerConfig(choice: ServiceChoice): ContainerConfig {
  return {
    refusal: choice.settings.isEnabled ? undefined : 'switched off: lifeboat.enable is false',
    engine: (name) => configured(choice, name),
    extras: choice.extras.map((extra) => ({
      name: extra.name,
      engineName: extra.engineName,
      configured: configured(extra, extra.engineName ?? ''),
    })),
  };
}

function configured(from: SourceChoice, engineName: string): Configured {
  const { isOn, isMentioned, options, failure } = from.engineOptions(engineName);
  const { settings } = from;
  return {
    isOn,
    isMentioned,
    refusal: failure?.message,
    settings: {
      timeoutMs: settings.timeoutMs,
      retries: settings.retries,
      stopGraceMs: settings.stopTimeoutMs,
      counts: settings.counts,
      path: settings.path,
      codec: settings.codec.name,
      codecLevel: settings.codec.level,
      to: settings.to,
      schedule: settings.schedule,
      notify: settings.notify,
      options,
    },
  };
}
