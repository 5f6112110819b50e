import { z } from 'zod';
import { type Grammar, grammar } from '../../domain/grammar.ts';
import { bareOption, option, optionSize, optionText } from '../../domain/option.ts';

/** What runs in the container, word by word. */
export type Words = readonly [string, ...string[]];

const word = z.string().refine((text) => !text.includes('\0'));
const Words: z.ZodType<Words, Words> = z.tuple([word.min(1)], word);

/**
 * A command as a person writes it. It is the container's own label and runs in that very container, so a shell reads it
 * there; a JSON array is taken word by word, and no shell sees it.
 */
const words: Grammar<Words> = grammar(
  {
    name: 'command',
    allowed: 'a line for sh -c in the container, or a JSON array of its words',
    examples: ['mytool dump --all', '["mytool", "dump", "--all"]'],
  },
  (text, reject) => {
    if (!text.startsWith('[')) return ['sh', '-c', text];
    const parsed = Words.safeParse(parseJson(text, reject));
    return parsed.success ? parsed.data : reject('a JSON array of a command holds texts only, and at least one');
  },
);

const fileName: Grammar<string> = grammar(
  {
    name: 'file name',
    allowed: 'letters, digits, ".", "_", "+" and "-", beginning with a letter or digit, at most 100',
    examples: ['ldap.ldif', 'export.tar.gz'],
  },
  (text, reject) => (/^[a-z0-9][\w.+-]{0,99}$/i.test(text) ? text : reject()),
);

export const CommandOptions = z.strictObject({
  run: bareOption(
    option(words, Words).describe('The command whose standard output is the backup, run inside the container.'),
  ),
  restore: option(words, Words)
    .optional()
    .describe(
      'The command that reads the backup on its standard input and puts it back; unset means restores are refused.',
    ),
  check: option(words, Words)
    .optional()
    .describe(
      'A command that reads the backup on its standard input and ends with exit code 0 only when it is whole, for example `gzip -t`.',
    ),
  filename: option(fileName, z.string()).prefault('output.bin').describe('Name of the file that holds the output.'),
  user: optionText()
    .optional()
    .describe('User inside the container that all of these run as; unset means the user of the image.'),
  'min-bytes': optionSize().prefault('1B').describe('A smaller output is a failed backup.'),
});
export type CommandOptions = z.infer<typeof CommandOptions>;

function parseJson(text: string, reject: (why: string) => never): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What the parser disliked would repeat the value; the example says enough.
    return reject('it begins with [ but is not a JSON array');
  }
}
