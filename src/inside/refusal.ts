/** Why a program in a helper gives up. Exit codes follow sysexits.h, as in the scripts of the engines. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const exitCodes = { badData: 65, noRoom: 73, failed: 74 } as const;

export function badData(message: string): Refusal {
  return new Refusal(exitCodes.badData, message);
}
