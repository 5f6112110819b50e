import { basename } from 'node:path';
import { visible } from '../domain/grammar.ts';

/** Where a value was written. */
export type Origin =
  | { readonly from: 'default' }
  | {
      readonly from: 'environment';
      readonly variable: string;
      /** The file that a `…_FILE` variable names. */
      readonly file?: string;
    }
  | {
      readonly from: 'file';
      readonly path: string;
      readonly line: number;
      readonly column: number;
      /** From the top of the file: `dest.offsite.url`. */
      readonly key?: string;
    }
  | { readonly from: 'label'; readonly label: string; readonly service: string };

/** Nobody wrote it. */
export const byDefault: Origin = { from: 'default' };

const longestLabel = 100;

/** One phrase: `LIFEBOAT_SCHEDULE`, `config.yaml:12`, `label lifeboat.schedule on service db`, `default`. */
export function originText(origin: Origin): string {
  switch (origin.from) {
    case 'default':
      return 'default';
    case 'environment':
      return origin.file === undefined ? origin.variable : `${origin.variable} (${origin.file})`;
    case 'file':
      return `${basename(origin.path)}:${origin.line}`;
    case 'label':
      return `label ${labelText(origin.label)} on service ${labelText(origin.service)}`;
  }
}

/** A label's name as it may be shown: whoever builds the image of a neighbour chooses it. */
export function labelText(label: string): string {
  return visible(label.length > longestLabel ? `${label.slice(0, longestLabel)}…` : label);
}
