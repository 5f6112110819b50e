/** One file of this folder: what is measured, and against what. */
export interface Bench {
  /** One line: what is compared. */
  readonly title: string;
  /** Measures. Prints nothing itself but progress, through `given.say`. */
  run(given: Given): Promise<Outcome>;
}

export interface Given {
  /** A tenth of the data: to see that a bench works, not for figures. */
  readonly isSmall: boolean;
  readonly rounds: number;
  say(line: string): void;
}

export interface Outcome {
  /** What a person reads. */
  readonly lines: readonly string[];
  /** Every single figure, kept beside the lines. */
  readonly raw: unknown;
}
