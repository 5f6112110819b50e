/** What a channel may be asked to tell; the words of `LIFEBOAT_NOTIFY_ON`. */
export const occasions = ['failure', 'recovered', 'config-problem', 'success'] as const;
export type Occasion = (typeof occasions)[number];

/** A secret that only gives itself out when asked by name. */
export interface Concealed {
  reveal(): string;
}

/** Where notifications go, and which. */
export type Channel =
  | { readonly name: 'slack'; readonly url: Concealed; readonly on: readonly Occasion[] }
  | {
      readonly name: 'webhook';
      readonly url: Concealed;
      readonly secret: Concealed | undefined;
      readonly on: readonly Occasion[];
    };
