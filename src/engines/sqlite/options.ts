import { z } from 'zod';
import { type Grammar, glob, grammar } from '../../domain/grammar.ts';
import { bareOption, optionList, optionOneOf } from '../../domain/option.ts';

const containerGlob: Grammar<string> = grammar(
  {
    name: 'path',
    allowed: 'absolute paths inside the container, or patterns of them with *, ** and ?',
    examples: ['/app/data/app.db', '/app/data/*.sqlite3'],
  },
  (text, reject) => (text.startsWith('/') ? glob.parse(text) : reject('it does not begin with /')),
);

export const SqliteOptions = z.strictObject({
  files: bareOption(
    optionList(containerGlob)
      .optional()
      .describe(
        'Database files, as paths or patterns inside the container; unset means those found in its writable volumes and bind mounts.',
      ),
  ),
  exclude: optionList(containerGlob).optional().describe('Database files to leave out, as paths or patterns.'),
  method: optionOneOf(['auto', 'online', 'pause'])
    .prefault('auto')
    .describe(
      '`online` copies while the app writes; `pause` pauses the container while the files are copied; `auto` is online wherever that is safe.',
    ),
});
export type SqliteOptions = z.infer<typeof SqliteOptions>;
