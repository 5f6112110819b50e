import { z } from 'zod';
import { glob } from '../../domain/grammar.ts';
import { bareOption, optionList } from '../../domain/option.ts';

export const FilesOptions = z.strictObject({
  paths: bareOption(
    optionList()
      .prefault('all')
      .describe(
        'What is saved: `all` volumes and bind mounts of the service, or a list of volume names, mount targets or paths in them; `none` switches it off.',
      ),
  ),
  include: optionList(glob)
    .optional()
    .describe('Only files that match one of these patterns, or lie in a folder that does.'),
  exclude: optionList(glob)
    .optional()
    .describe(
      'What to leave out: `*.tmp` names at any depth, `cache/**` paths in each folder, `/app/cache/**` paths in the container.',
    ),
});
export type FilesOptions = z.infer<typeof FilesOptions>;
