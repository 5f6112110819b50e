/** `checksum`: the stored bytes are the ones that were stored; `structure`: and the engine's prover read them whole. */
export const verifyLevels = ['checksum', 'structure'] as const;
export type VerifyLevel = (typeof verifyLevels)[number];
