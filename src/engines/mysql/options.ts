import { z } from 'zod';
import { optionInteger, optionList, optionOneOf, optionText } from '../../domain/option.ts';

export const MysqlOptions = z.strictObject({
  user: optionText()
    .optional()
    .describe('Account to connect as. Default: root, else the account the image was set up with.'),
  'password-env': optionText().optional().describe('Name of the variable in that container that holds the password.'),
  'password-file': optionText().optional().describe('Path inside that container of the file that holds the password.'),
  databases: optionList().prefault('*').describe('Databases to save, as globs.'),
  'exclude-databases': optionList().default([]).describe('Databases to leave out, as globs.'),
  'exclude-tables': optionList()
    .default([])
    .describe('Tables and views to leave out, as globs on database.table; a restore leaves them as they are.'),
  'non-transactional': optionOneOf(['lock', 'warn', 'fail'])
    .prefault('warn')
    .describe(
      'What to do about tables that are not transactional (MyISAM, Aria, MEMORY …): `warn` saves each as it is when it is read, `lock` stops all writes of the server while such a database is dumped, `fail` refuses the backup.',
    ),
  'tools-image': optionText()
    .optional()
    .describe('Image that has the dump and client programs of the same product, for images without tools.'),
  port: optionInteger(1, 65_535)
    .optional()
    .describe('Port the server listens on, where it cannot be reached through its socket. Default: 3306.'),
});
export type MysqlOptions = z.infer<typeof MysqlOptions>;
