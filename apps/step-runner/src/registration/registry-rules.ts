/**
 * From which registries images may be pulled.
 *
 * Invariants:
 *  1. Where the operator names registries, from these and no others, wherever they lie. Else from every one at a public address, as for http:
 *     inputs; at a private one where WEFT_ALLOW_PRIVATE_HTTP says so.
 *  2. Docker Hub is the engine's business: it may have a mirror for it.
 */
import { isDockerHub, RuntimeFailure } from '@weft/runtimes';
import { refusePrivateHost, systemErrorCode } from '@weft/storage';

export interface RegistryRules {
  /** `host` or `host:port`; absent: any. */
  allowed?: readonly string[];
  allowPrivate: boolean;
}

/** @returns a check that throws RuntimeFailure IMAGE_PULL */
export function registryCheck({ allowed, allowPrivate }: RegistryRules): (registry: string | undefined) => Promise<void> {
  return async (registry) => {
    const hub = registry === undefined || isDockerHub(registry);
    if (allowed !== undefined) {
      if (allowed.some((name) => name === registry || (hub && isDockerHub(name)))) return;
      throw new RuntimeFailure(
        'IMAGE_PULL',
        `no image may be pulled from ${registry ?? 'docker.io'} (WEFT_REGISTRIES of the runner)`,
        false,
      );
    }
    if (hub || allowPrivate) return;
    await refusePrivateHost(registry.replace(/:\d+$/, '')).catch((error: unknown) => {
      throw refusal(registry, error);
    });
  };
}

function refusal(registry: string, error: unknown): RuntimeFailure {
  const code = systemErrorCode(error);
  const hint = 'WEFT_REGISTRIES of the runner names those that may be used all the same';
  if (code === 'EPRIVATE')
    return new RuntimeFailure('IMAGE_PULL', `no image may be pulled from ${registry}: it is not at a public address; ${hint}`, false);
  const passing = code === 'EAI_AGAIN' || code === 'ETIMEOUT';
  return new RuntimeFailure(
    'IMAGE_PULL',
    `no image can be pulled from ${registry}: its address cannot be found out (${code}); ${hint}`,
    passing,
  );
}
