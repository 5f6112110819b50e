import { z } from 'zod';
import { optionInteger, optionList, optionText } from '../../domain/option.ts';

export const PostgresOptions = z.strictObject({
  user: optionText().optional().describe('Role to connect as; unset means the one the image was set up with.'),
  'password-env': optionText().optional().describe('Name of the variable in that container that holds the password.'),
  'password-file': optionText().optional().describe('Path inside that container of the file that holds the password.'),
  databases: optionList().prefault('*').describe('Databases to save, as globs.'),
  'exclude-databases': optionList().optional().describe('Databases to leave out, as globs.'),
  'tools-image': optionText()
    .optional()
    .describe(
      'Image with pg_dump, psql and pg_restore of at least the version of the server, for images without tools.',
    ),
  port: optionInteger(1, 65_535)
    .optional()
    .describe('Port of the server; unset means PGPORT of the container, else 5432.'),
});
export type PostgresOptions = z.infer<typeof PostgresOptions>;
