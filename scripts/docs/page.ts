/** One page of the documentation, and what is code in it. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Code spans, in and between sentences. */
  readonly spans: readonly Code[];
}

/** A fenced block. */
export interface Block extends Code {
  /** `sh`, `console`, `yaml`, …; empty where none is named. */
  readonly language: string;
}

export interface Code {
  readonly text: string;
  /** Where it begins in the text of the page. */
  readonly at: number;
}

/** What is wrong, and where in the text of its page. */
export interface Flaw {
  readonly at: number;
  readonly what: string;
}

/** Looks at one page for one kind of flaw. */
export type Check = (page: Page) => AsyncIterable<Flaw> | Iterable<Flaw>;

const fence = /^( *)```(\w*)\n([\s\S]*?)^ *```$/gm;

export function readPage(path: string, text: string): Page {
  const blocks = Array.from(text.matchAll(fence), ({ 1: indent = '', 2: language = '', 3: code = '', index }) => ({
    language,
    text: code,
    at: index + indent.length + 4 + language.length,
  }));
  const spans = Array.from(withoutBlocks(text).matchAll(/`([^`\n]+)`/g), ({ 1: code = '', index }) => ({
    text: code,
    at: index + 1,
  }));
  return { path, text, blocks, spans };
}

/** Fenced blocks give way to spaces, so that places stay the same. */
export function withoutBlocks(text: string): string {
  return text.replaceAll(fence, blank);
}

/** Fenced blocks and code spans give way to spaces. */
export function withoutCode(text: string): string {
  return withoutBlocks(text).replaceAll(/`[^`\n]*`/g, blank);
}

function blank(code: string): string {
  return code.replaceAll(/[^\n]/g, ' ');
}
